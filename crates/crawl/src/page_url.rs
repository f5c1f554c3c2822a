//! The address of a page, written so that two spellings of one page are one.

use std::{
    cmp::Ordering,
    fmt,
    hash::{Hash, Hasher},
    str::FromStr,
    sync::Arc,
};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use url::{Host, Position, Url};

use crate::{error::CrawlError, origin::Origin, spelling};

/// The longest URL that is visited, in bytes.
pub const MAX_URL_LEN: usize = 2_048;

/// Longer input is not even parsed: what normalising takes away is never most of a URL.
const MAX_RAW_LEN: usize = 4 * MAX_URL_LEN;

/// A normalised URL of a web page. Clones share it.
///
/// Scheme and host are in lower case, the host in its ASCII form (IDNA); default port, fragment, `utm_*` and click-id
/// parameters are gone; dot segments are resolved and runs of slashes collapsed. Two that differ in nothing but a slash
/// at the end of the path are equal: [`PageUrl::as_str`] is without it. The slash itself is kept for
/// [`PageUrl::address`], because the links of `/docs/` and of `/docs` lead to different places and some servers know
/// only one of the two. Serde writes the address, so that reading it again loses nothing.
#[derive(Clone)]
pub struct PageUrl(Arc<Parts>);

struct Parts {
    address: Url,
    /// Only if it differs from the address.
    identity: Option<Box<str>>,
}

impl PageUrl {
    /// Reads and normalises an absolute URL.
    ///
    /// # Errors
    /// [`CrawlError`], for what is not a URL, not http(s), too long, or holds a user name or a host no one can ask.
    pub fn parse(text: &str) -> Result<Self, CrawlError> {
        if text.len() > MAX_RAW_LEN {
            return Err(CrawlError::UrlTooLong);
        }
        Self::from_url(Url::parse(text).map_err(|_| CrawlError::NotAUrl)?)
    }

    /// Normalises a URL.
    ///
    /// # Errors
    /// As [`PageUrl::parse`].
    pub fn from_url(mut url: Url) -> Result<Self, CrawlError> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(CrawlError::NotHttp);
        }
        if url.as_str().len() > MAX_RAW_LEN {
            return Err(CrawlError::UrlTooLong);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(CrawlError::UrlHoldsCredentials);
        }
        match url.host() {
            Some(Host::Domain(name)) if name.is_empty() || name.ends_with('.') => return Err(CrawlError::NoHost),
            Some(_) => {}
            None => return Err(CrawlError::NoHost),
        }
        url.set_fragment(None);
        spelling::collapse_slashes(&mut url);
        spelling::drop_tracking(&mut url);
        if url.as_str().len() > MAX_URL_LEN {
            return Err(CrawlError::UrlTooLong);
        }
        let identity = spelling::identity(&url);
        // A copy is as long as it must be; what parsing leaves behind may take twice the memory.
        Ok(Self(Arc::new(Parts { address: url.clone(), identity })))
    }

    /// What tells this page from others: unique in a table of pages.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.identity.as_deref().unwrap_or(self.0.address.as_str())
    }

    /// What is asked of the server, and what the page's links are relative to.
    #[must_use]
    pub fn address(&self) -> &Url {
        &self.0.address
    }

    /// The server and its port.
    #[must_use]
    pub fn origin(&self) -> Origin {
        Origin::of(&self.0.address)
    }

    /// The host in ASCII; an IPv6 address in brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        self.0.address.host_str().unwrap_or_default()
    }

    /// The path and the query of [`PageUrl::as_str`], beginning with a slash.
    #[must_use]
    pub fn path_and_query(&self) -> &str {
        let before = self.0.address[..Position::BeforePath].len();
        self.as_str().get(before..).unwrap_or_default()
    }
}

impl PartialEq for PageUrl {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for PageUrl {}

impl Hash for PageUrl {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl PartialOrd for PageUrl {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for PageUrl {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_str().cmp(other.as_str())
    }
}

impl fmt::Display for PageUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for PageUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PageUrl({:?})", self.0.address.as_str())
    }
}

impl FromStr for PageUrl {
    type Err = CrawlError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl Serialize for PageUrl {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.address.as_str())
    }
}

impl<'de> Deserialize<'de> for PageUrl {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::PageUrl;
    use crate::error::CrawlError;

    #[test]
    fn spellings_of_one_page_are_one() {
        for (written, normal) in [
            ("HTTPS://Example.COM:443", "https://example.com/"),
            ("http://example.com:80/a/", "http://example.com/a"),
            ("http://example.com:8080/", "http://example.com:8080/"),
            ("https://bücher.example/größe", "https://xn--bcher-kva.example/gr%C3%B6%C3%9Fe"),
            ("https://example.com/a/./b/../c//d///", "https://example.com/a/c/d"),
            ("https://example.com//", "https://example.com/"),
            ("https://example.com/%2e%2e/a", "https://example.com/a"),
            ("https://example.com/a#part", "https://example.com/a"),
            ("https://example.com/a?", "https://example.com/a"),
            ("https://example.com/a/?b=2&a=1&b=1", "https://example.com/a?b=2&a=1&b=1"),
            ("https://example.com/?utm_source=x&id=7&UTM_Medium=y&gclid=1&fbclid", "https://example.com/?id=7"),
            ("https://example.com/?utm_source=x&msclkid=2", "https://example.com/"),
            ("https://example.com/?q=https://x//y/", "https://example.com/?q=https://x//y/"),
            ("  https://example.com/a\n", "https://example.com/a"),
            ("https://0x7f.1/", "https://127.0.0.1/"),
        ] {
            assert_eq!(PageUrl::parse(written).unwrap().as_str(), normal, "{written}");
        }
    }

    #[test]
    fn the_slash_at_the_end_is_kept_for_asking() {
        let [with, without] =
            ["https://example.com/docs/?v=2", "https://example.com/docs?v=2"].map(|text| PageUrl::parse(text).unwrap());
        assert_eq!(with, without);
        assert_eq!(with.address().as_str(), "https://example.com/docs/?v=2");
        assert_eq!(with.path_and_query(), "/docs?v=2");
        let stored = serde_json::to_string(&with).unwrap();
        assert_eq!(serde_json::from_str::<PageUrl>(&stored).unwrap().address(), with.address());
    }

    #[test]
    fn what_cannot_be_visited_says_why() {
        let long = format!("https://example.com/{}", "x".repeat(2_048));
        let very_long = "x".repeat(5_000_000);
        for (written, error) in [
            ("", CrawlError::NotAUrl),
            ("/relative", CrawlError::NotAUrl),
            ("https://exa mple.com", CrawlError::NotAUrl),
            ("mailto:a@example.com", CrawlError::NotHttp),
            ("javascript:alert(1)", CrawlError::NotHttp),
            ("file:///etc/passwd", CrawlError::NotHttp),
            ("https://me:secret@example.com/", CrawlError::UrlHoldsCredentials),
            ("https://example.com./", CrawlError::NoHost),
            (long.as_str(), CrawlError::UrlTooLong),
            (very_long.as_str(), CrawlError::UrlTooLong),
        ] {
            assert_eq!(PageUrl::parse(written).unwrap_err(), error, "{written:.40}");
        }
        let short_after_all = format!("https://example.com/?utm_campaign={}", "x".repeat(2_048));
        assert_eq!(PageUrl::parse(&short_after_all).unwrap().as_str(), "https://example.com/");
    }
}
