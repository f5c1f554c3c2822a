use omni_domain::{ErrorKind, Failure, Invalid};
use omni_models::ModelError;
use omni_persistence::StoreError;
use omni_sealing::SealingError;
use thiserror::Error;

/// Why a workspace did not do what was asked.
#[derive(Debug, Error)]
pub enum WorkspaceError {
    /// The input breaks a rule.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// An AI service that could not be talked to.
    #[error("{field}: {problem}")]
    Service {
        /// The field of the service that is wrong.
        field: &'static str,
        /// What is wrong with it.
        #[source]
        problem: ModelError,
    },
    /// The database said no, or nothing.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A secret could not be sealed.
    #[error(transparent)]
    Sealing(#[from] SealingError),
}

impl Failure for WorkspaceError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Invalid(_) | Self::Service { .. } => ErrorKind::Invalid,
            Self::Store(error) => error.kind(),
            Self::Sealing(error) => error.kind(),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Invalid(error) => error.code(),
            Self::Service { problem, .. } => problem.code(),
            Self::Store(error) => error.code(),
            Self::Sealing(error) => error.code(),
        }
    }

    fn retry_after(&self) -> Option<u32> {
        match self {
            Self::Store(error) => error.retry_after(),
            Self::Invalid(_) | Self::Service { .. } | Self::Sealing(_) => None,
        }
    }
}
