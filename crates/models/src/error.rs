use std::error::Error;
use std::time::Duration;

use omni_domain::{ErrorKind, Failure};
use omni_egress::{EgressError, TimedOut};

use crate::deadlines::Deadlines;
use crate::image::ImageProblem;
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
    /// An embedding of nothing: no text, or one of blanks.
    #[error("there is no text to embed")]
    NothingToEmbed,
    /// A question to rank by, or a passage to rank, without a word.
    #[error("there is nothing to rank: the question or a passage is empty")]
    NothingToRank,
    /// More than one call may bring.
    #[error("one call may bring at most {limit} {what}; send less at once")]
    TooMuch {
        /// What there is too much of.
        what: &'static str,
        /// The most of it.
        limit: usize,
    },
    /// An image that no model is sent.
    #[error("the image cannot be sent: {0}")]
    Image(#[from] ImageProblem),
    /// A provider that serves no embedding models.
    #[error("the provider {provider} has no embedding models; {} have", embedding_providers())]
    NoEmbeddings {
        /// The provider.
        provider: Provider,
    },
    /// A reranker without the name of a model.
    #[error("the reranker needs the name of a model")]
    RerankerUnnamed,
    /// A number of dimensions that a model cannot give.
    #[error("the model {model:?} cannot give vectors of {asked} dimensions; {advice}")]
    DimensionsUnusable {
        /// The model's name.
        model: String,
        /// How many were asked for.
        asked: u32,
        /// What to enter instead.
        advice: String,
    },
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
    #[error("the provider is overloaded or failing{}; try again {}", status_in_brackets(*status), later(*retry_after))]
    Overloaded {
        /// The status, if there was one.
        status: Option<u16>,
        /// When to try again, if the provider said it.
        retry_after: Option<Duration>,
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
            | Self::NothingAsked
            | Self::NothingToEmbed
            | Self::NothingToRank
            | Self::NoEmbeddings { .. }
            | Self::RerankerUnnamed
            | Self::DimensionsUnusable { .. } => ErrorKind::Invalid,
            Self::TooMuch { .. } => ErrorKind::TooLarge,
            Self::Image(problem) => problem.kind(),
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
            Self::NothingToEmbed => "nothing_to_embed",
            Self::NothingToRank => "nothing_to_rank",
            Self::TooMuch { .. } => "too_much_at_once",
            Self::Image(_) => "image_refused",
            Self::NoEmbeddings { .. } => "no_embeddings",
            Self::RerankerUnnamed => "reranker_unnamed",
            Self::DimensionsUnusable { .. } => "dimensions_unusable",
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
            Self::UnknownProvider { .. } | Self::NoEmbeddings { .. } => Some("provider"),
            Self::DimensionsUnusable { .. } => Some("dimensions"),
            Self::BaseUrl { .. } => Some("base_url"),
            Self::Missing { field, .. } => Some(field),
            Self::RerankerUnnamed => Some("model"),
            Self::KeyUnusable => Some("api_key"),
            _ => None,
        }
    }

    /// When to try again, if the provider said it.
    #[must_use]
    pub const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::RateLimited { retry_after } | Self::Overloaded { retry_after, .. } => *retry_after,
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

    /// A failure to get the whole of an answer that is one document.
    pub(crate) fn of_exchange(error: EgressError, host: &str, deadlines: &Deadlines) -> Self {
        let late = |waited_for, after| Self::TimedOut { waited_for, after };
        match error {
            EgressError::TimedOut(TimedOut::Headers) => late(WaitedFor::FirstByte, deadlines.first_byte),
            EgressError::TimedOut(TimedOut::Idle) => late(WaitedFor::NextByte, deadlines.idle),
            EgressError::TimedOut(TimedOut::Total) => late(WaitedFor::End, deadlines.total),
            EgressError::TooLarge { limit } => Self::TooLarge { limit: usize::try_from(limit).unwrap_or(usize::MAX) },
            other => Self::of_sending(other, host),
        }
    }

    /// Whether the same request may well be answered if it is sent again.
    pub(crate) const fn is_passing(&self) -> bool {
        match self {
            Self::RateLimited { .. } | Self::Overloaded { .. } | Self::CutOff { .. } => true,
            Self::TimedOut { waited_for, .. } => !matches!(waited_for, WaitedFor::End),
            _ => false,
        }
    }
}

impl Failure for ModelError {
    fn kind(&self) -> ErrorKind {
        self.kind()
    }

    fn code(&self) -> &'static str {
        self.code()
    }

    fn retry_after(&self) -> Option<u32> {
        let seconds = self.retry_after()?.as_secs().max(1);
        Some(u32::try_from(seconds).unwrap_or(u32::MAX))
    }
}

fn known_providers() -> String {
    Provider::ALL.map(Provider::name).join(", ")
}

fn embedding_providers() -> String {
    let serving: Vec<&str> = Provider::ALL.into_iter().filter(|known| known.embeds()).map(Provider::name).collect();
    match serving.split_last() {
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
        None => String::new(),
    }
}

fn later(retry_after: Option<Duration>) -> String {
    retry_after.map_or("later".to_owned(), |wait| format!("in {} seconds", wait.as_secs().max(1)))
}

fn status_in_brackets(status: Option<u16>) -> String {
    status.map_or(String::new(), |status| format!(" (status {status})"))
}
