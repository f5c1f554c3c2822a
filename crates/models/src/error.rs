use std::error::Error;
use std::time::Duration;

use omni_domain::ErrorKind;
use omni_egress::EgressError;

use crate::provider::Provider;

type Cause = Box<dyn Error + Send + Sync>;

/// Why there is no answer, or not the whole of it.
///
/// The message is a sentence for the person who set the service up: it says what to change, and never holds a key. What
/// a provider said is quoted shortened, with whatever looks like a key taken out.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// No provider is called so.
    #[error("the provider {given:?} is not known; it can be one of {}", known_providers())]
    UnknownProvider {
        /// The name as it was written, shortened.
        given: String,
    },
    /// A base URL that cannot be one.
    #[error("the base URL {problem}")]
    BaseUrl {
        /// What is wrong with it, and what to write.
        problem: String,
    },
    /// Something that this provider cannot do without.
    #[error("the provider {provider} needs {what}")]
    Missing {
        /// The provider.
        provider: Provider,
        /// The field of the service.
        field: &'static str,
        /// What it needs.
        what: &'static str,
    },
    /// A key that no HTTP header can carry.
    #[error("the API key of this service has characters that a key cannot have; enter it again")]
    KeyUnusable,
    /// A conversation without a message.
    #[error("there is no message to answer")]
    NothingAsked,
    /// The address of the service is neither public nor allowed by the operator.
    #[error(
        "{host} is not a public address, and model requests may not go there; the operator can allow it in \
         OMNI_EGRESS_ALLOW"
    )]
    AddressRefused {
        /// The host of the base URL.
        host: String,
    },
    /// Nobody answered at the address.
    #[error("the provider could not be reached at {host}; check the base URL")]
    Unreachable {
        /// The host of the base URL.
        host: String,
        /// What the HTTP client said.
        source: Cause,
    },
    /// 401 or 403, or a provider's own way to say so.
    #[error("the provider refused the API key of this service; enter a valid one")]
    CredentialsRefused,
    /// 402, or a provider's own way to say so.
    #[error("the provider says that the account of this service has no credit left")]
    OutOfCredit,
    /// 404, or a provider's own way to say so.
    #[error(
        "the provider does not know the model {model:?} at this address; check the model's name and the base URL, \
         which often ends in /v1"
    )]
    UnknownModel {
        /// The model's name.
        model: String,
    },
    /// 429.
    #[error("the provider takes no more requests from this service for now; try again {}", later(*retry_after))]
    RateLimited {
        /// When to try again, if the provider said it.
        retry_after: Option<Duration>,
    },
    /// Another 4xx: the model exists but does not take this request.
    #[error("the provider did not accept the request: {message}")]
    BadRequest {
        /// What the provider said.
        message: String,
    },
    /// 5xx, or an error event that says so.
    #[error("the provider is overloaded or failing{}; try again later", status_in_brackets(*status))]
    Overloaded {
        /// The status, if there was one.
        status: Option<u16>,
    },
    /// A status that no model gives, such as a redirect.
    #[error("the server answered with status {status}, which is not an answer of a model; check the base URL")]
    NotAModel {
        /// The status.
        status: u16,
    },
    /// A deadline passed.
    #[error("the provider {waited_for} within {} seconds", after.as_secs_f32())]
    TimedOut {
        /// What did not happen.
        waited_for: WaitedFor,
        /// The deadline.
        after: Duration,
    },
    /// The answer ended without the provider's mark of its end.
    #[error("the provider broke the answer off")]
    CutOff {
        /// What the HTTP client said, if the connection broke.
        source: Option<Cause>,
    },
    /// The answer is not what this provider is known to send.
    #[error("the server's answer cannot be read: {what}; check the provider and the base URL")]
    Malformed {
        /// What is wrong with it.
        what: &'static str,
    },
    /// The answer is longer than is accepted.
    #[error("the answer was stopped at {limit} bytes, the most that is accepted")]
    TooLarge {
        /// The most bytes.
        limit: usize,
    },
    /// The HTTP client could not be used.
    #[error("the request could not be sent")]
    Client {
        /// What the HTTP client said.
        source: Cause,
    },
}

/// What a provider did not do in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WaitedFor {
    /// Begin to answer.
    #[error("did not begin to answer")]
    FirstByte,
    /// Go on with the answer.
    #[error("sent nothing more")]
    NextByte,
    /// End the answer.
    #[error("did not end its answer")]
    End,
}

impl ModelError {
    /// The kind of failure, for the status code at the edge. What a provider refuses is its failure, not the request's of
    /// the person who chats.
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        match self {
            Self::UnknownProvider { .. }
            | Self::BaseUrl { .. }
            | Self::Missing { .. }
            | Self::KeyUnusable
            | Self::NothingAsked => ErrorKind::Invalid,
            Self::RateLimited { .. } => ErrorKind::RateLimited,
            Self::TimedOut { .. } => ErrorKind::UpstreamTimeout,
            Self::AddressRefused { .. }
            | Self::Unreachable { .. }
            | Self::CredentialsRefused
            | Self::OutOfCredit
            | Self::UnknownModel { .. }
            | Self::BadRequest { .. }
            | Self::Overloaded { .. }
            | Self::NotAModel { .. }
            | Self::CutOff { .. }
            | Self::Malformed { .. }
            | Self::TooLarge { .. } => ErrorKind::Upstream,
            Self::Client { .. } => ErrorKind::Internal,
        }
    }

    /// A stable name for programs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::UnknownProvider { .. } => "unknown_provider",
            Self::BaseUrl { .. } => "invalid_base_url",
            Self::Missing { .. } => "service_incomplete",
            Self::KeyUnusable => "unusable_key",
            Self::NothingAsked => "nothing_asked",
            Self::AddressRefused { .. } => "address_refused",
            Self::Unreachable { .. } => "provider_unreachable",
            Self::CredentialsRefused => "credentials_refused",
            Self::OutOfCredit => "out_of_credit",
            Self::UnknownModel { .. } => "unknown_model",
            Self::RateLimited { .. } => "provider_rate_limited",
            Self::BadRequest { .. } => "provider_bad_request",
            Self::Overloaded { .. } => "provider_overloaded",
            Self::NotAModel { .. } => "not_a_model",
            Self::TimedOut { .. } => "provider_timed_out",
            Self::CutOff { .. } => "answer_cut_off",
            Self::Malformed { .. } => "answer_malformed",
            Self::TooLarge { .. } => "answer_too_large",
            Self::Client { .. } => "client_failed",
        }
    }

    /// The field of an AI service that has to change, for what can be told without asking the provider.
    #[must_use]
    pub const fn field(&self) -> Option<&'static str> {
        match self {
            Self::UnknownProvider { .. } => Some("provider"),
            Self::BaseUrl { .. } => Some("base_url"),
            Self::Missing { field, .. } => Some(field),
            Self::KeyUnusable => Some("api_key"),
            _ => None,
        }
    }

    /// When to try again, if the provider said it.
    #[must_use]
    pub const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::RateLimited { retry_after } => *retry_after,
            _ => None,
        }
    }

    pub(crate) fn base_url(problem: impl Into<String>) -> Self {
        Self::BaseUrl { problem: problem.into() }
    }

    /// A failure before there was an answer.
    pub(crate) fn of_sending(error: EgressError, host: &str) -> Self {
        let host = host.to_owned();
        match error {
            EgressError::Refused { .. } | EgressError::RedirectRefused => Self::AddressRefused { host },
            EgressError::Url { problem } => Self::base_url(format!("cannot be requested: {problem}")),
            EgressError::Resolve { .. }
            | EgressError::Connect { .. }
            | EgressError::Broken { .. }
            | EgressError::TimedOut(_) => Self::Unreachable { host, source: error.into() },
            _ => Self::Client { source: error.into() },
        }
    }
}

fn known_providers() -> String {
    Provider::ALL.map(Provider::name).join(", ")
}

fn later(retry_after: Option<Duration>) -> String {
    retry_after.map_or("later".to_owned(), |wait| format!("in {} seconds", wait.as_secs().max(1)))
}

fn status_in_brackets(status: Option<u16>) -> String {
    status.map_or(String::new(), |status| format!(" (status {status})"))
}
