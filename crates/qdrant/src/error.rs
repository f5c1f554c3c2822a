use std::error::Error;

use omni_domain::{ErrorKind, Failure};
use omni_egress::EgressError;

type Cause = Box<dyn Error + Send + Sync>;

/// Why the vector store did not do what it was asked to.
///
/// The message is for the person who uses or runs Omni, and holds no secret and nothing that the server said. That is the
/// [`source`](Error::source), shortened, for the log.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum QdrantError {
    /// The address of the server cannot be one.
    #[error("the URL of the vector store {problem}")]
    BaseUrl {
        /// What is wrong with it, and what to write.
        problem: String,
    },
    /// A key that no HTTP header can carry.
    #[error("the API key of the vector store has characters that a key cannot have; enter it again")]
    KeyUnusable,
    /// The address of the server is neither public nor allowed by the operator.
    #[error("the vector store at {host} is not at a public address; the operator can allow it in OMNI_EGRESS_ALLOW")]
    AddressRefused {
        /// The host of the URL.
        host: String,
    },
    /// Something that was asked for makes no sense.
    #[error("{field}: {problem}")]
    Invalid {
        /// What is wrong.
        field: &'static str,
        /// What it must be.
        problem: &'static str,
    },
    /// Vectors of another length than those of the collection.
    #[error(
        "the collection holds vectors of {expected} dimensions, and these have {found}; use the embedding model that it was \
         made with, or make a new silo"
    )]
    WrongDimensions {
        /// The length of the collection's vectors.
        expected: u64,
        /// The length that was found.
        found: u64,
    },
    /// There is no such collection.
    #[error("the vector store has no collection of this name; index the silo again")]
    NoCollection,
    /// Nobody answers there, or not for now.
    #[error("the vector store is not available; try again later")]
    Unavailable {
        /// When to try again in seconds, if the server said it.
        retry_after: Option<u32>,
        /// What happened instead.
        source: Cause,
    },
    /// A deadline passed.
    #[error("the vector store did not answer in time; try again later")]
    TimedOut {
        /// Which one.
        source: Cause,
    },
    /// The disk of the server is full.
    #[error("the vector store has no space left")]
    StorageFull {
        /// What the server said.
        source: Cause,
    },
    /// 401 or 403.
    #[error("the vector store refused the API key; the operator has to set a valid one that may write")]
    CredentialsRefused,
    /// Another status that says no.
    #[error("the vector store refused the request with status {status}")]
    Refused {
        /// The status.
        status: u16,
        /// What the server said.
        source: Cause,
    },
    /// The answer is not one that Qdrant gives.
    #[error("the server at the URL of the vector store does not answer as Qdrant does: {what}; check the URL")]
    Malformed {
        /// What is wrong with it.
        what: &'static str,
        /// Where, if that is known.
        source: Option<Cause>,
    },
}

/// What the server said, for the log.
#[derive(Debug, thiserror::Error)]
#[error("the server said {0:?}")]
pub(crate) struct Said(pub(crate) String);

impl QdrantError {
    pub(crate) fn malformed(what: &'static str) -> Self {
        Self::Malformed { what, source: None }
    }
}

impl From<EgressError> for QdrantError {
    fn from(error: EgressError) -> Self {
        match error {
            EgressError::Refused { host } => Self::AddressRefused { host },
            EgressError::TimedOut(_) => Self::TimedOut { source: error.into() },
            EgressError::TooLarge { .. } => {
                Self::Malformed { what: "its answer is too large", source: Some(error.into()) }
            }
            EgressError::Json { .. } => {
                Self::Malformed { what: "its answer is not the JSON that was expected", source: Some(error.into()) }
            }
            EgressError::Url { problem } => Self::BaseUrl { problem: format!("cannot be requested: {problem}") },
            _ => Self::Unavailable { retry_after: None, source: error.into() },
        }
    }
}

impl Failure for QdrantError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::BaseUrl { .. } | Self::KeyUnusable | Self::AddressRefused { .. } | Self::Invalid { .. } => {
                ErrorKind::Invalid
            }
            Self::WrongDimensions { .. } | Self::NoCollection => ErrorKind::Conflict,
            Self::Unavailable { .. } => ErrorKind::Unavailable,
            Self::TimedOut { .. } => ErrorKind::UpstreamTimeout,
            Self::StorageFull { .. } => ErrorKind::StorageFull,
            Self::CredentialsRefused | Self::Refused { .. } | Self::Malformed { .. } => ErrorKind::Upstream,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::BaseUrl { .. } => "vector_store_url_invalid",
            Self::KeyUnusable => "vector_store_key_unusable",
            Self::AddressRefused { .. } => "vector_store_address_refused",
            Self::Invalid { .. } => "invalid",
            Self::WrongDimensions { .. } => "wrong_dimensions",
            Self::NoCollection => "no_vector_collection",
            Self::Unavailable { .. } => "vector_store_unavailable",
            Self::TimedOut { .. } => "vector_store_timeout",
            Self::StorageFull { .. } => "vector_store_full",
            Self::CredentialsRefused => "vector_store_credentials_refused",
            Self::Refused { .. } => "vector_store_refused",
            Self::Malformed { .. } => "vector_store_malformed",
        }
    }

    fn retry_after(&self) -> Option<u32> {
        match self {
            Self::Unavailable { retry_after, .. } => *retry_after,
            _ => None,
        }
    }
}
