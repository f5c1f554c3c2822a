//! The server that a page is asked of.

use std::{fmt, sync::Arc};

use url::Url;

/// Scheme, host and port: what `robots.txt` and politeness are about (RFC 9309, 2.3).
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Origin(Arc<str>);

impl Origin {
    pub(crate) fn of(url: &Url) -> Self {
        Self(url.origin().ascii_serialization().into())
    }

    /// As in `https://example.com:8443`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Where this server keeps its `robots.txt`; `None` for an origin that no page has.
    pub(crate) fn robots_url(&self) -> Option<Url> {
        Url::parse(&self.0).and_then(|origin| origin.join("/robots.txt")).ok()
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Origin({})", self.0)
    }
}
