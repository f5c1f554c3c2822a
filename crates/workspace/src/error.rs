use omni_domain::{ErrorKind, Failure, Invalid, SiloId};
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
    /// What embeds a silo was to change, and there is something in it that was embedded.
    #[error(
        "this silo has content, so its vector_db_type and embedding_service_id stay; \
         POST /internal/silos/{silo}/reembed embeds its content anew"
    )]
    SiloHasContent {
        /// The silo.
        silo: SiloId,
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
            Self::SiloHasContent { .. } => ErrorKind::Conflict,
            Self::Store(error) => error.kind(),
            Self::Sealing(error) => error.kind(),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Invalid(error) => error.code(),
            Self::Service { problem, .. } => problem.code(),
            Self::SiloHasContent { .. } => "silo_has_content",
            Self::Store(error) => error.code(),
            Self::Sealing(error) => error.code(),
        }
    }

    fn retry_after(&self) -> Option<u32> {
        match self {
            Self::Store(error) => error.retry_after(),
            Self::Invalid(_) | Self::Service { .. } | Self::SiloHasContent { .. } | Self::Sealing(_) => None,
        }
    }
}
