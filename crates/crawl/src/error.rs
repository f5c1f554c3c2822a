//! What is wrong with what a crawl was given.

use omni_domain::{ErrorKind, Failure};

/// Why a URL or a name was not accepted. What happens to a page is not an error but a [`Fetched`](crate::Fetched).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CrawlError {
    /// It is not an absolute URL.
    #[error("this is not a URL; write it in full, such as https://example.com/docs")]
    NotAUrl,
    /// Its scheme is another than http and https.
    #[error("this URL is neither http nor https")]
    NotHttp,
    /// It names no host, or one with a dot at its end.
    #[error("this URL names no host, or one that ends in a dot")]
    NoHost,
    /// It holds a user name or a password, which would end up in every list of pages.
    #[error("this URL holds a user name or a password; leave them out")]
    UrlHoldsCredentials,
    /// It is longer than [`MAX_URL_LEN`](crate::MAX_URL_LEN) bytes.
    #[error("this URL is longer than {} bytes", crate::MAX_URL_LEN)]
    UrlTooLong,
    /// The crawler's name is not a product token as RFC 9309 has it.
    #[error("the crawler's name may hold letters, hyphens and underscores only, at most 64")]
    AgentName,
}

impl Failure for CrawlError {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Invalid
    }

    fn code(&self) -> &'static str {
        match self {
            Self::NotAUrl => "page_url_invalid",
            Self::NotHttp => "page_url_not_http",
            Self::NoHost => "page_url_without_host",
            Self::UrlHoldsCredentials => "page_url_holds_credentials",
            Self::UrlTooLong => "page_url_too_long",
            Self::AgentName => "crawler_name_invalid",
        }
    }
}
