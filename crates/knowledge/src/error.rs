use omni_blobs::BlobError;
use omni_documents::Unreadable;
use omni_domain::{ErrorKind, Failure, Invalid};
use omni_models::ModelError;
use omni_persistence::StoreError;
use omni_qdrant::QdrantError;
use omni_rbac::Denied;
use thiserror::Error;

/// Why something about knowledge could not be done.
#[derive(Debug, Error)]
pub enum KnowledgeError {
    /// The input breaks a rule.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// It contradicts what is stored.
    #[error("{0}")]
    Conflict(String),
    /// The work was cancelled, or somebody else has taken it over.
    #[error("the work was stopped")]
    Stopped,
    /// This server has no worker for this kind of job.
    #[error("this server does not do jobs of the kind {kind:?}; bring it up to date")]
    NotDoneHere {
        /// The kind.
        kind: &'static str,
    },
    /// The work was begun often, and the server never lived to see its end.
    #[error("the server stopped {attempts} times while this was worked on; something in it may be too much for it")]
    GivenUp {
        /// How often.
        attempts: u32,
    },
    /// The file is not where it was stored.
    #[error("the file is no longer in the store of this server; upload it again")]
    FileGone,
    /// The file was read, and nothing in it can be found.
    #[error("{0}")]
    NoText(String),
    /// Text in pictures is asked for, and nothing here reads it.
    #[error(transparent)]
    OcrMissing(Unreadable),
    /// Work fell over, which only a defect of ours explains.
    #[error("a defect of this program ended the work")]
    Defect(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The stored key of a service does not open.
    #[error("the key of the service \"{service}\" was sealed with another master key; enter it again")]
    KeyLost {
        /// What members call the service.
        service: String,
        /// Why it does not open.
        #[source]
        cause: omni_sealing::SealingError,
    },
    /// The silo's vectors were made by another model than the one that its embedding service names now.
    #[error("this silo was embedded with {known}, and its embedding service is now {wanted}; embed it anew")]
    OtherModel {
        /// What its vectors were made with.
        known: String,
        /// What its service is now.
        wanted: String,
    },
    /// The service that puts passages in order does not say where it is asked.
    #[error("the AI service that puts passages in order has no base_url")]
    RerankerUnaddressed,
    /// The silo's vectors are in a Qdrant server, and the operator configured none.
    #[error("this silo keeps its vectors in Qdrant, and this server has none; set OMNI_QDRANT_URL")]
    NoQdrant,
    /// The provider of embeddings failed.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The file cannot be read.
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    /// The store of files failed.
    #[error(transparent)]
    Blob(#[from] BlobError),
    /// The Qdrant server failed.
    #[error(transparent)]
    Qdrant(#[from] QdrantError),
    /// Whoever asked for the work may not have it done any more.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// The database said no, or nothing.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Failure for KnowledgeError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Invalid(error) => error.kind(),
            Self::Conflict(_)
            | Self::KeyLost { .. }
            | Self::OtherModel { .. }
            | Self::RerankerUnaddressed
            | Self::Stopped => ErrorKind::Conflict,
            Self::NoQdrant | Self::NotDoneHere { .. } | Self::OcrMissing(_) => ErrorKind::Unavailable,
            Self::GivenUp { .. } | Self::FileGone | Self::NoText(_) => ErrorKind::Invalid,
            Self::Defect(_) => ErrorKind::Internal,
            Self::Model(error) => error.kind(),
            Self::Unreadable(error) => error.kind(),
            Self::Blob(error) => error.kind(),
            Self::Qdrant(error) => error.kind(),
            Self::Denied(error) => error.kind(),
            Self::Store(error) => error.kind(),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Invalid(error) => error.code(),
            Self::Conflict(_) => "conflict",
            Self::Stopped => "stopped",
            Self::NotDoneHere { .. } => "job_not_done_here",
            Self::GivenUp { .. } => "given_up",
            Self::FileGone => "file_gone",
            Self::NoText(_) => "no_text",
            Self::OcrMissing(_) => "ocr_not_installed",
            Self::Defect(_) => "defect",
            Self::KeyLost { .. } => "embedding_key_lost",
            Self::OtherModel { .. } => "embedded_with_another_model",
            Self::RerankerUnaddressed => "reranker_unaddressed",
            Self::NoQdrant => "qdrant_not_configured",
            Self::Model(error) => error.code(),
            Self::Unreadable(error) => error.code(),
            Self::Blob(error) => error.code(),
            Self::Qdrant(error) => error.code(),
            Self::Denied(error) => error.code(),
            Self::Store(error) => error.code(),
        }
    }

    fn retry_after(&self) -> Option<u32> {
        match self {
            Self::Model(error) => Failure::retry_after(error),
            Self::Blob(error) => error.retry_after(),
            Self::Qdrant(error) => error.retry_after(),
            Self::Store(error) => error.retry_after(),
            _ => None,
        }
    }
}
