use omni_domain::{ErrorKind, Failure, Invalid};
use omni_models::ModelError;
use omni_persistence::StoreError;
use omni_sealing::SealingError;
use thiserror::Error;

use crate::RetrievalFailed;

/// Why a turn did not begin, or how it failed.
#[derive(Debug, Error)]
pub enum TurnError {
    /// The input breaks a rule.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// The app has used up its turns of this minute.
    #[error("this app takes {limit} turns a minute; try again in {resets_in} s")]
    RateLimited {
        /// The limit.
        limit: u32,
        /// Seconds until the next minute.
        resets_in: u32,
    },
    /// As many turns run as this process can take.
    #[error("the server is answering as many people as it can; try again in a moment")]
    Full,
    /// The process is about to stop.
    #[error("the server is about to stop; try again in a moment")]
    Stopping,
    /// Somebody stopped the turn.
    #[error("the answer was stopped")]
    Cancelled,
    /// The process stopped in the middle of the turn.
    #[error("the answer was interrupted: the server stopped")]
    Interrupted,
    /// A bug: the turn's task panicked.
    #[error("the turn panicked: {0}")]
    Panicked(String),
    /// What the agent knows could not be searched.
    #[error(transparent)]
    Retrieval(#[from] RetrievalFailed),
    /// The model failed.
    #[error("{0}")]
    Model(#[from] ModelError),
    /// The conversation was deleted while the answer was on its way, or another process took this one for dead.
    #[error("the answer is not kept: its conversation is gone, or the turn was ended elsewhere")]
    NotKept,
    /// The answer is there, and the database is not.
    #[error("the answer could not be stored yet; it will be as soon as the database takes it")]
    NotStored(#[source] std::sync::Arc<StoreError>),
    /// The stored key of the agent's AI service does not open: the master key is another one.
    #[error("the key of the AI service `{service}` can no longer be read; enter it again in the service's settings")]
    KeyLost {
        /// What the service is called.
        service: String,
        /// What opening it came to.
        #[source]
        cause: SealingError,
    },
    /// The database said no, or nothing.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Failure for TurnError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Invalid(error) => error.kind(),
            Self::KeyLost { .. } => ErrorKind::Invalid,
            Self::RateLimited { .. } => ErrorKind::RateLimited,
            Self::Full | Self::Stopping | Self::Interrupted | Self::NotStored(_) => ErrorKind::Unavailable,
            Self::Cancelled | Self::NotKept => ErrorKind::Conflict,
            Self::Panicked(_) => ErrorKind::Internal,
            Self::Retrieval(error) => error.kind(),
            Self::Model(error) => error.kind(),
            Self::Store(error) => error.kind(),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Invalid(error) => error.code(),
            Self::KeyLost { .. } => "service_key_lost",
            Self::RateLimited { .. } => "rate_limited",
            Self::Full => "too_many_turns",
            Self::Stopping => "stopping",
            Self::Cancelled => "cancelled",
            Self::Interrupted => "interrupted",
            Self::NotKept => "not_kept",
            Self::NotStored(_) => "not_stored_yet",
            Self::Panicked(_) => "internal_error",
            Self::Retrieval(error) => error.code(),
            Self::Model(error) => error.code(),
            Self::Store(error) => error.code(),
        }
    }

    fn retry_after(&self) -> Option<u32> {
        match self {
            Self::RateLimited { resets_in, .. } => Some(*resets_in),
            Self::Full | Self::Stopping | Self::Interrupted | Self::NotStored(_) => Some(1),
            Self::Model(error) => {
                error.retry_after().map(|wait| u32::try_from(wait.as_secs()).unwrap_or(u32::MAX).max(1))
            }
            Self::Retrieval(error) => error.retry_after(),
            Self::Store(error) => error.retry_after(),
            Self::Invalid(_) | Self::Cancelled | Self::NotKept | Self::Panicked(_) | Self::KeyLost { .. } => None,
        }
    }
}

impl TurnError {
    /// What the person who asked is told: a failure of ours is not explained to them.
    pub(crate) fn told(&self) -> String {
        match self.kind() {
            ErrorKind::Internal => "something went wrong on our side".to_owned(),
            _ => self.to_string(),
        }
    }
}
