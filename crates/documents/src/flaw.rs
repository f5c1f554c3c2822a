//! What may be wrong with a file.

use omni_domain::ErrorKind;
use serde::{Deserialize, Serialize};

use crate::Format;
use crate::format::names;

/// What is wrong with a file, found by looking at it. It holds nothing that the file or a library said, so it may be
/// shown to whoever sent the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Flaw {
    /// It has no bytes.
    #[error("the file is empty")]
    Empty,
    /// It could be read, and there is no text in it. A PDF without text is no flaw: its pages can be read by OCR.
    #[error("there is no text in the file")]
    NoText,
    /// More bytes than are read.
    #[error("the file is larger than {} MB", limit / 1_000_000)]
    TooLarge {
        /// The most bytes.
        limit: u64,
    },
    /// Neither its first bytes nor its name say what it is.
    #[error("the kind of file could not be recognised; what can be read is {}", names())]
    Unknown,
    /// It is something else than its name or the request says.
    #[error("this is {}, not {}", found.title(), claimed.title())]
    Mismatch {
        /// What its first bytes say.
        found: Format,
        /// What its name or the request says.
        claimed: Format,
    },
    /// It is not what its name or the request says, and nothing else that is known either.
    #[error("this is not {}", claimed.title())]
    Not {
        /// What its name or the request says.
        claimed: Format,
    },
    /// A picture.
    #[error("{} is a picture and has no text of its own; it has to be read by OCR", format.title())]
    Picture {
        /// Which kind.
        format: Format,
    },
    /// An archive of other files.
    #[error("this is an archive; unpack it and send the files that are in it")]
    Archive,
    /// A file of Office 97–2003, or a newer one behind a password: both are the same container.
    #[error("this is an old Office file or one with a password; save it as .docx, .xlsx or .pptx without a password")]
    OldOffice,
    /// It cannot be read without a password.
    #[error("the file is encrypted; remove its password")]
    Encrypted,
    /// It begins as it should and then breaks the rules of its format.
    #[error("{} that is damaged or not complete", format.title())]
    Damaged {
        /// The format whose rules it breaks.
        format: Format,
    },
    /// It has a document type declaration, in which entities can be defined.
    #[error("the file defines XML entities, which are not read; save it anew with an office program")]
    Entities,
    /// Elements in elements in elements.
    #[error("the file nests its content more than {limit} levels deep")]
    TooDeep {
        /// The most levels.
        limit: usize,
    },
    /// Too many files in a container.
    #[error("the file is a container with more than {limit} parts")]
    TooManyParts {
        /// The most parts.
        limit: usize,
    },
    /// Too large when decompressed.
    #[error("the file unpacks to more than {} MB", limit / 1_000_000)]
    Unpacks {
        /// The most bytes.
        limit: u64,
    },
    /// Suspiciously small for what it unpacks to.
    #[error("the file unpacks to more than {limit} times its size")]
    UnpacksTimes {
        /// The greatest ratio.
        limit: u64,
    },
    /// Too many pages.
    #[error("the file has more than {limit} pages; split it")]
    TooManyPages {
        /// The most pages.
        limit: usize,
    },
    /// Too many cells.
    #[error("the file has more than {limit} cells; split it")]
    TooManyCells {
        /// The most cells.
        limit: usize,
    },
    /// More text than is taken.
    #[error("there are more than {} MB of text in the file; split it", limit / 1_000_000)]
    TooMuchText {
        /// The most bytes.
        limit: usize,
    },
    /// A picture with too many pixels.
    #[error("the picture is larger than 10 000 pixels in a direction or 100 megapixels; scale it down")]
    TooManyPixels,
    /// The selector of the request is not CSS.
    #[error("the CSS selector cannot be read")]
    Selector,
    /// The selector of the request matches nothing of the page.
    #[error("the CSS selector matches nothing in this page")]
    SelectorMatchesNothing,
}

impl Flaw {
    /// The kind of failure, for the status code at the edge.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Unknown | Self::Archive | Self::OldOffice | Self::Picture { .. } => ErrorKind::Unsupported,
            Self::TooLarge { .. } => ErrorKind::TooLarge,
            _ => ErrorKind::Invalid,
        }
    }

    /// A stable name for programs.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Empty => "file_empty",
            Self::NoText => "file_without_text",
            Self::TooLarge { .. } => "file_too_large",
            Self::Unknown => "file_format_unknown",
            Self::Mismatch { .. } | Self::Not { .. } => "file_format_mismatch",
            Self::Picture { .. } => "file_needs_ocr",
            Self::Archive => "file_is_archive",
            Self::OldOffice => "file_format_old_office",
            Self::Encrypted => "file_encrypted",
            Self::Damaged { .. } => "file_damaged",
            Self::Entities => "file_with_entities",
            Self::TooDeep { .. } => "file_too_deep",
            Self::TooManyParts { .. } => "file_too_many_parts",
            Self::Unpacks { .. } | Self::UnpacksTimes { .. } => "file_unpacks_too_large",
            Self::TooManyPages { .. } => "file_too_many_pages",
            Self::TooManyCells { .. } => "file_too_many_cells",
            Self::TooMuchText { .. } => "file_too_much_text",
            Self::TooManyPixels => "picture_too_large",
            Self::Selector => "selector_invalid",
            Self::SelectorMatchesNothing => "selector_matches_nothing",
        }
    }
}
