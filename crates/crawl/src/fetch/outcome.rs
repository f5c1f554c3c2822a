//! What came of a visit.

use std::fmt;

use bytes::Bytes;
use omni_egress::EgressError;
use serde::{Deserialize, Serialize};

use crate::{page_url::PageUrl, scope::Refusal};

/// What came of asking for one page. Every answer of a server, and none, is one of these.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Fetched {
    /// The page.
    Page(Page),
    /// The page is as it was when the [`Validators`] were given.
    NotModified,
    /// There is no such page (404) or no longer (410).
    Gone,
    /// The server gives the page to others, or in other ways, or not now.
    Refused {
        /// The status of the answer.
        status: u16,
    },
    /// The server redirected to a page that does not belong to the crawl. Its content was not read.
    RedirectedOut {
        /// Where to, if it is the URL of a web page at all.
        to: Option<PageUrl>,
        /// Why it does not belong.
        reason: Refusal,
    },
    /// There was no answer that says anything about the page.
    Failed {
        /// Why.
        reason: FetchFailure,
        /// Whether it may go better another time without anybody changing anything.
        retry: bool,
    },
    /// The page is of a kind that was not asked for.
    Unsupported {
        /// Its media type, without parameters: as the server says, or as its first bytes say if they tell otherwise.
        media_type: String,
    },
    /// The page is larger than the limit.
    TooLarge,
}

/// A page that arrived whole.
#[derive(Clone, PartialEq)]
pub struct Page {
    /// The URL that answered, after redirects. The page's links are relative to it.
    pub final_url: PageUrl,
    /// The media type without parameters, in lower case.
    pub media_type: String,
    /// The character set that the server states, in lower case.
    pub charset: Option<String>,
    /// The content, unpacked.
    pub bytes: Bytes,
    /// What to send along next time.
    pub validators: Validators,
}

/// What a server gave along with a page, to ask next time whether it has changed (RFC 9110, 13.1).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Validators {
    /// The `ETag` with its quotes.
    pub etag: Option<String>,
    /// The `Last-Modified` as the server wrote it.
    pub last_modified: Option<String>,
}

impl Validators {
    /// Whether there is nothing to send along.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.etag.is_none() && self.last_modified.is_none()
    }
}

/// Why there was no answer about a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FetchFailure {
    /// The page is at an address that the operator does not allow, or it redirects to one.
    #[error("the page, or where it redirects to, is at an address that is not allowed")]
    AddressNotAllowed,
    /// The server redirects in a circle, or to what is no URL.
    #[error("the server redirects in a circle or to nowhere")]
    RedirectBroken,
    /// The name of the host is not known.
    #[error("the host name could not be resolved")]
    HostNotResolved,
    /// No connection was made.
    #[error("no secure connection could be made to the server")]
    ConnectFailed,
    /// The answer did not come in time.
    #[error("the server took too long")]
    TimedOut,
    /// The answer broke off or is not HTTP.
    #[error("the answer broke off or could not be read")]
    Broken,
    /// The server has trouble of its own.
    #[error("the server answered with status {0}")]
    ServerError(u16),
    /// The server wants to be asked later, and the pacer waits for it.
    #[error("the server asked to be left alone for a while (status {0})")]
    Throttled(u16),
    /// The server was not asked, since it is to be left alone for longer than a visit may wait.
    #[error("the server is to be left alone for longer than a visit may wait")]
    Postponed,
    /// The request could not be made.
    #[error("the page could not be asked for")]
    NotSent,
}

impl FetchFailure {
    /// A stable name for programs.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::AddressNotAllowed => "address_not_allowed",
            Self::RedirectBroken => "redirect_broken",
            Self::HostNotResolved => "host_not_resolved",
            Self::ConnectFailed => "connect_failed",
            Self::TimedOut => "timed_out",
            Self::Broken => "response_broken",
            Self::ServerError(_) => "server_error",
            Self::Throttled(_) => "throttled",
            Self::Postponed => "postponed",
            Self::NotSent => "not_sent",
        }
    }

    const fn may_pass(self) -> bool {
        !matches!(self, Self::AddressNotAllowed | Self::RedirectBroken | Self::NotSent)
    }
}

impl Fetched {
    pub(super) const fn failed(reason: FetchFailure) -> Self {
        Self::Failed { reason, retry: reason.may_pass() }
    }

    pub(super) fn of_error(error: &EgressError) -> Self {
        Self::failed(match error {
            EgressError::TooLarge { .. } => return Self::TooLarge,
            EgressError::Refused { .. } | EgressError::RedirectRefused => FetchFailure::AddressNotAllowed,
            EgressError::TooManyRedirects { .. } | EgressError::RedirectInvalid => FetchFailure::RedirectBroken,
            EgressError::Resolve { .. } => FetchFailure::HostNotResolved,
            EgressError::Connect { .. } => FetchFailure::ConnectFailed,
            EgressError::TimedOut(_) => FetchFailure::TimedOut,
            EgressError::Broken { .. } => FetchFailure::Broken,
            _ => FetchFailure::NotSent,
        })
    }
}

impl fmt::Debug for Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Page")
            .field("final_url", &self.final_url)
            .field("media_type", &self.media_type)
            .field("charset", &self.charset)
            .field("bytes", &self.bytes.len())
            .field("validators", &self.validators)
            .finish()
    }
}
