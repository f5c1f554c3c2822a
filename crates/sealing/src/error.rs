use std::path::PathBuf;

use omni_domain::{ErrorKind, Failure};
use thiserror::Error;

/// Why a secret could not be sealed or opened.
#[derive(Debug, Error)]
pub enum SealingError {
    /// It was sealed with another master key, for another place, or has been changed.
    #[error("a stored secret does not open with this master key")]
    DoesNotOpen,
    /// The cipher refused, which only happens with more than 64 GiB.
    #[error("the cipher refused to seal")]
    Refused,
    /// The key file cannot be read or made.
    #[error("the master key file {}: {problem}", path.display())]
    KeyFile {
        /// Which file.
        path: PathBuf,
        /// What is wrong, and what would be right.
        problem: String,
        /// What the system said, if it did.
        #[source]
        source: Option<std::io::Error>,
    },
}

impl Failure for SealingError {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Internal
    }

    fn code(&self) -> &'static str {
        match self {
            Self::DoesNotOpen => "secret_does_not_open",
            Self::Refused => "secret_refused",
            Self::KeyFile { .. } => "master_key_file",
        }
    }
}
