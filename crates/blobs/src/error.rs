use std::io;
use std::path::PathBuf;

use omni_domain::{ErrorKind, Failure};
use thiserror::Error;

use crate::BlobHash;

/// Why a blob was not written or not read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum BlobError {
    /// More bytes than the writer takes.
    #[error("the file is too large: at most {limit} bytes are taken")]
    TooLarge {
        /// The most bytes that the writer takes.
        limit: u64,
    },
    /// The disk or the quota is full. Nothing of the blob is left on it.
    #[error("the server has no space left to store this file; try again when there is")]
    StorageFull {
        /// What the operating system said.
        source: io::Error,
    },
    /// There is no such blob.
    #[error("there is no file with this content")]
    NotFound {
        /// What was asked for.
        hash: BlobHash,
    },
    /// The part that was asked for lies beyond the end of the blob.
    #[error("the file has {bytes} bytes, and the range that was asked for is not within them")]
    RangeNotSatisfiable {
        /// How long the blob is.
        bytes: u64,
    },
    /// The writer failed before, or one of its calls was abandoned half way.
    #[error("the upload had ended before")]
    WriterEnded,
    /// The file is not what its name says: the disk or somebody has changed it.
    #[error("the blob {hash} is damaged: its bytes are not those that were written; restore it from a backup")]
    Damaged {
        /// The name of the blob.
        hash: BlobHash,
    },
    /// The folder of the blobs cannot be used.
    #[error("the folder {} {problem}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What is wrong with it.
        problem: &'static str,
        /// What the operating system said.
        source: io::Error,
    },
    /// The operating system refused something else.
    #[error("a blob cannot be {doing}")]
    Io {
        /// What was being done with it.
        doing: &'static str,
        /// What the operating system said.
        source: io::Error,
    },
}

impl BlobError {
    /// Sorts out what is no fault of anybody's but the full disk.
    pub(crate) fn io(doing: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::StorageFull { source },
            _ => Self::Io { doing, source },
        }
    }
}

impl Failure for BlobError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::TooLarge { .. } => ErrorKind::TooLarge,
            Self::StorageFull { .. } => ErrorKind::StorageFull,
            Self::NotFound { .. } => ErrorKind::NotFound,
            Self::RangeNotSatisfiable { .. } => ErrorKind::Invalid,
            Self::WriterEnded | Self::Damaged { .. } | Self::Folder { .. } | Self::Io { .. } => ErrorKind::Internal,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "file_too_large",
            Self::StorageFull { .. } => "storage_full",
            Self::NotFound { .. } => "blob_not_found",
            Self::RangeNotSatisfiable { .. } => "range_not_satisfiable",
            Self::WriterEnded => "blob_writer_ended",
            Self::Damaged { .. } => "blob_damaged",
            Self::Folder { .. } => "blob_folder",
            Self::Io { .. } => "blob_io",
        }
    }
}
