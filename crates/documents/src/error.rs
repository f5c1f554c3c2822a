//! Why a file gave no text.

use std::io;

use omni_domain::{ErrorKind, Failure};

use crate::Flaw;

/// Why a file gave no text.
///
/// Where the kind is not [`ErrorKind::Internal`] or [`ErrorKind::Unavailable`] the message is for whoever sent the file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Unreadable {
    /// It is the file.
    #[error(transparent)]
    Flaw(#[from] Flaw),
    /// The deadline passed.
    #[error("reading the file took longer than {seconds} seconds; split it")]
    TookTooLong {
        /// The deadline.
        seconds: u64,
    },
    /// The processor time was used up.
    #[error("reading the file took more than {seconds} seconds of processor time; split it")]
    TookTooMuchProcessorTime {
        /// The limit.
        seconds: u64,
    },
    /// The memory was used up.
    #[error("reading the file takes more than {} MB of memory; split it", bytes / 1_000_000)]
    TookTooMuchMemory {
        /// The limit.
        bytes: u64,
    },
    /// The process that read it ended in a way that no reader ends: overflown stack, a defect of a library.
    #[error("the file made its reader fail; it is damaged, or made to do harm")]
    Crashed,
    /// OCR is asked for and not installed.
    #[error("text in pictures can be read once {program} is installed (on Debian and Ubuntu: apt install {package})")]
    OcrMissing {
        /// The program that is missing.
        program: &'static str,
        /// The package that has it.
        package: &'static str,
    },
    /// OCR is installed and not for this language.
    #[error(
        "there is no OCR data for the language {language:?} (on Debian and Ubuntu: apt install tesseract-ocr-{language})"
    )]
    OcrLanguage {
        /// The language as tesseract calls it.
        language: String,
    },
    /// The OCR program could not read the picture.
    #[error("the text in the picture could not be read")]
    OcrFailed,
    /// The file is not there or cannot be opened.
    #[error("the file cannot be opened")]
    File(#[source] io::Error),
    /// The child could not be started or attended.
    #[error("the process that reads files cannot be run")]
    Child(#[from] omni_supervise::Error),
    /// The child is not our worker: `main` does not call `worker::intercept`.
    #[error("the process that reads files did not become one (exit code {code:?})")]
    NoWorker {
        /// What it exited with.
        code: Option<i32>,
    },
    /// The child could not give up its rights, and so read nothing.
    #[error("the process that reads files cannot be confined; does this kernel have seccomp?")]
    Unconfined,
    /// What the child answered is no answer.
    #[error("the process that reads files answered something else than text")]
    Garbled(#[source] Option<serde_json::Error>),
    /// The pipe from the child, or a temporary directory, failed.
    #[error("files cannot be handed to or taken from the process that reads them")]
    Transfer(#[source] io::Error),
}

impl Failure for Unreadable {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Flaw(flaw) => flaw.kind(),
            Self::TookTooLong { .. }
            | Self::TookTooMuchProcessorTime { .. }
            | Self::TookTooMuchMemory { .. }
            | Self::Crashed
            | Self::OcrFailed => ErrorKind::Invalid,
            Self::OcrMissing { .. } | Self::OcrLanguage { .. } => ErrorKind::Unsupported,
            Self::Child(error) => error.kind(),
            Self::File(_) | Self::NoWorker { .. } | Self::Unconfined | Self::Garbled(_) | Self::Transfer(_) => {
                ErrorKind::Internal
            }
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Flaw(flaw) => flaw.code(),
            Self::TookTooLong { .. } | Self::TookTooMuchProcessorTime { .. } => "file_takes_too_long",
            Self::TookTooMuchMemory { .. } => "file_takes_too_much_memory",
            Self::Crashed => "file_crashes_reader",
            Self::OcrMissing { .. } => "ocr_not_installed",
            Self::OcrLanguage { .. } => "ocr_language_not_installed",
            Self::OcrFailed => "ocr_failed",
            Self::File(_) => "file_not_opened",
            Self::Child(error) => error.code(),
            Self::NoWorker { .. } => "document_worker_missing",
            Self::Unconfined => "document_worker_unconfined",
            Self::Garbled(_) => "document_worker_garbled",
            Self::Transfer(_) => "document_transfer_failed",
        }
    }
}
