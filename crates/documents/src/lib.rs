//! Foreign files become text, in a child process that can do no harm.
//!
//! A [`Parser`] has each file read by a process of its own: our executable, started once more, which gives up files,
//! network and other programs before it looks at the first byte, and which the kernel holds to limits of memory, time
//! and output ([`ParseLimits`]). The file comes by its standard input; its answer is an [`Extract`] or a [`Flaw`], and
//! whatever else happens to it is an [`Unreadable`] in words for whoever sent the file. Every program that parses calls
//! [`worker::intercept`] in `main`; `examples/worker.rs` is such a program.
//!
//! | held by | Linux on x86-64 and ARM | elsewhere |
//! |---|---|---|
//! | no files, no network, no programs, no other processes | a filter of system calls; without it nothing is read | nothing |
//! | memory, processor time, files written, open files | limits of the kernel | the same, as far as the kernel knows them |
//! | deadline, size of the answer, number of children | the parent | the parent |
//! | end of the parent | the death signal of `omni-supervise` | the pipe breaks |
//!
//! [`Format`] is what can be read and how it is recognised. [`Chunker`] cuts an [`Extract`] into pieces for an embedding
//! model. [`Ocr`] reads pictures and scanned pages, where tesseract is installed.
//!
//! The crate depends on no database, no network and no web framework, and it stores nothing.

mod chunk;
mod confine;
mod error;
mod extract;
mod flaw;
mod format;
mod ocr;
mod parser;
mod read;
mod sniff;
pub mod worker;

pub use chunk::{Chunk, ChunkRules, Chunker, estimate_tokens};
pub use error::Unreadable;
pub use extract::{Extract, SEPARATOR, Section, WebReferences, WholeText};
pub use flaw::Flaw;
pub use format::{Format, UnknownFormat};
pub use ocr::{Ocr, OcrSettings, PageDrawer};
pub use parser::{ParseLimits, ParseRequest, Parser, check_selector};
pub use sniff::SNIFFED_BYTES;
