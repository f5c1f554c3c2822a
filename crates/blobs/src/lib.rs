//! Files by what is in them, below the data directory.
//!
//! A blob is named by the SHA-256 of its bytes and lies at `ab/cd/<hash>`. Nothing that a client sends becomes part of a
//! path, equal files are stored once, and whoever reads a blob can check that it is still what was written.
//!
//! A [`BlobWriter`] takes the bytes as they come from the network, in bounded memory. The blob appears whole or not at
//! all: it is written to a draft, flushed to the disk, and renamed into place. What a killed process leaves behind is a
//! draft, which the next [`Blobs::open`] or [`Blobs::sweep`] removes. A full disk is [`BlobError::StorageFull`], and over
//! when there is space again.
//!
//! Several processes may use one folder: drafts and the collection of garbage are guarded by locks of the file system.
//!
//! Start at [`Blobs`]. The crate depends on no database and no web framework; who refers to which blob is the caller's to
//! know.

mod arrived;
mod blocking;
mod draft;
mod error;
mod hash;
mod layout;
mod reader;
mod store;
mod sweep;
mod writer;

pub use arrived::BlobDraft;
pub use error::BlobError;
pub use hash::{BlobHash, NotABlobHash};
pub use reader::BlobReader;
pub use store::{BlobOptions, BlobRef, Blobs};
pub use sweep::Swept;
pub use writer::BlobWriter;
