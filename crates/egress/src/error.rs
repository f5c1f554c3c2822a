//! What can go wrong between a URL and its answer.

use std::error::Error;

use omni_domain::ErrorKind;
use serde_json::error::Category;

use crate::names::{LookupFailed, NotAdmitted};

type Cause = Box<dyn Error + Send + Sync>;

/// Where an answer stops being the JSON that was expected.
///
/// It quotes nothing of the answer, as the parser's own message does: the other side may repeat the secrets that it was
/// sent, and this goes into logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{problem} at line {line}, column {column}")]
pub struct NotJson {
    problem: &'static str,
    line: usize,
    column: usize,
}

impl From<serde_json::Error> for NotJson {
    fn from(error: serde_json::Error) -> Self {
        let problem = match error.classify() {
            Category::Io => "it could not be read",
            Category::Syntax => "it is no JSON",
            Category::Data => "it has another shape",
            Category::Eof => "it breaks off",
        };
        Self { problem, line: error.line(), column: error.column() }
    }
}

/// Why a request was not sent or not answered.
///
/// The message may be shown to whoever wrote the URL: it never holds a resolved address, a port that answered or did not,
/// a path, a query or a header. The cause, for logs, is the [`source`](Error::source).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EgressError {
    /// An entry of the operator's allow-list cannot be read.
    #[error("the allow-list entry {entry:?} {problem}")]
    AllowList {
        /// The entry as it was written.
        entry: String,
        /// What is wrong with it, and what to write.
        problem: String,
    },
    /// The URL is not one that can be requested.
    #[error("this URL cannot be requested: {problem}")]
    Url {
        /// What is wrong with it.
        problem: &'static str,
    },
    /// The URL leads to an address that is neither public nor allowed by the operator.
    #[error("{host} is not allowed: only public addresses may be requested")]
    Refused {
        /// The host of the URL.
        host: String,
    },
    /// The server redirected to an address that is neither public nor allowed by the operator.
    #[error("the server redirected to an address that is not allowed")]
    RedirectRefused,
    /// The server redirected to something that is not a URL, or not one that can be requested.
    #[error("the server redirected to something that cannot be requested")]
    RedirectInvalid,
    /// The server redirected more often than the request permits.
    #[error("the server redirected more than {limit} times")]
    TooManyRedirects {
        /// How many redirects the request follows.
        limit: u8,
    },
    /// The request cannot be put on the wire.
    #[error("the request cannot be sent: {problem}")]
    Request {
        /// What is wrong with it.
        problem: &'static str,
    },
    /// The name of the host did not resolve.
    #[error("the host name could not be resolved")]
    Resolve {
        /// What the resolver said.
        source: Cause,
    },
    /// No connection was made: nothing listens, the network is away, or the certificate is not trusted.
    #[error("no secure connection could be made to the server")]
    Connect {
        /// What the connector said.
        source: Cause,
    },
    /// A deadline passed.
    #[error("{0}")]
    TimedOut(TimedOut),
    /// The body, decompressed, is larger than the request permits.
    #[error("the answer is larger than {limit} bytes")]
    TooLarge {
        /// The most bytes that the request accepts.
        limit: u64,
    },
    /// The answer is not HTTP or broke off.
    #[error("the answer broke off or could not be read")]
    Broken {
        /// What the HTTP library said.
        source: Cause,
    },
    /// The answer is not the JSON that was expected.
    #[error("the answer is not the JSON that was expected")]
    Json {
        /// Where it differs.
        source: NotJson,
    },
    /// The client could not be made: the machine has no CA certificates, or the policy holds what HTTP does not allow.
    #[error("no HTTP client can be made; are the system's CA certificates installed?")]
    Setup {
        /// What the HTTP or the TLS library said.
        source: Cause,
    },
}

/// Which deadline passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TimedOut {
    /// No connection was made in time.
    #[error("the server could not be connected to in time")]
    Connecting,
    /// The head of the answer did not arrive in time.
    #[error("the server did not answer in time")]
    Headers,
    /// Too long a silence within the body.
    #[error("the server stopped sending")]
    Idle,
    /// The request as a whole, with its redirects and its body, took too long.
    #[error("the answer took too long")]
    Total,
}

impl EgressError {
    /// The kind of failure, for the status code at the edge.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::AllowList { .. }
            | Self::Url { .. }
            | Self::Refused { .. }
            | Self::RedirectRefused
            | Self::Request { .. } => ErrorKind::Invalid,
            Self::RedirectInvalid
            | Self::TooManyRedirects { .. }
            | Self::Resolve { .. }
            | Self::Connect { .. }
            | Self::TooLarge { .. }
            | Self::Broken { .. }
            | Self::Json { .. } => ErrorKind::Upstream,
            Self::TimedOut(_) => ErrorKind::UpstreamTimeout,
            Self::Setup { .. } => ErrorKind::Internal,
        }
    }

    /// A stable name for programs.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::AllowList { .. } => "egress_allow_invalid",
            Self::Url { .. } => "url_invalid",
            Self::Refused { .. } => "url_not_allowed",
            Self::RedirectRefused => "redirect_not_allowed",
            Self::RedirectInvalid => "redirect_invalid",
            Self::TooManyRedirects { .. } => "too_many_redirects",
            Self::Request { .. } => "request_invalid",
            Self::Resolve { .. } => "host_not_resolved",
            Self::Connect { .. } => "connect_failed",
            Self::TimedOut(_) => "upstream_timeout",
            Self::TooLarge { .. } => "response_too_large",
            Self::Broken { .. } => "response_broken",
            Self::Json { .. } => "response_not_json",
            Self::Setup { .. } => "egress_setup_failed",
        }
    }

    /// The same failure, met on the way of a redirect: what the server wrote is not the caller's to see.
    pub(crate) fn of_redirect(self) -> Self {
        match self {
            Self::Refused { .. } => Self::RedirectRefused,
            Self::Url { .. } => Self::RedirectInvalid,
            other => other,
        }
    }
}

/// For callers of [`Egress::client_for`](crate::Egress::client_for): tells a refusal from a failure, and forgets the URL,
/// whose query may hold a secret.
impl From<reqwest::Error> for EgressError {
    fn from(error: reqwest::Error) -> Self {
        let host = error.url().and_then(|url| url.host_str()).unwrap_or_default().to_owned();
        let error = error.without_url();
        if caused_by::<NotAdmitted>(&error) {
            return Self::Refused { host };
        }
        if caused_by::<LookupFailed>(&error) {
            return Self::Resolve { source: error.into() };
        }
        match (error.is_timeout(), error.is_connect()) {
            (true, true) => Self::TimedOut(TimedOut::Connecting),
            (true, false) => Self::TimedOut(TimedOut::Headers),
            (false, true) => Self::Connect { source: error.into() },
            (false, false) if error.is_builder() => Self::Request { problem: "a part of it is not valid in HTTP" },
            (false, false) => Self::Broken { source: error.into() },
        }
    }
}

fn caused_by<T: Error + 'static>(error: &(dyn Error + 'static)) -> bool {
    std::iter::successors(Some(error), |&error| error.source()).any(<dyn Error>::is::<T>)
}
