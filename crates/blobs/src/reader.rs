use std::fmt;
use std::fs::File;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use bytes::Bytes;
use futures::{Stream, stream};
use sha2::{Digest, Sha256};

use crate::blocking::blocking;
use crate::{BlobError, BlobHash, BlobRef};

/// So much is read from the disk at a time.
const PIECE: usize = 256 * 1024;

/// A blob, or a part of it, that is being read. It reads when it is asked to, one piece of at most 256 KiB at a time.
pub struct BlobReader {
    hash: BlobHash,
    file: Arc<File>,
    /// The whole blob.
    bytes: u64,
    /// What is still to come.
    left: Range<u64>,
}

impl BlobReader {
    pub(crate) fn new(hash: BlobHash, file: File, bytes: u64) -> Self {
        Self { hash, file: Arc::new(file), bytes, left: 0..bytes }
    }

    /// The blob's name.
    #[must_use]
    pub const fn hash(&self) -> BlobHash {
        self.hash
    }

    /// The length of the whole blob in bytes, whatever part of it is read.
    #[must_use]
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// How many bytes are still to come.
    #[must_use]
    pub const fn left(&self) -> u64 {
        self.left.end.saturating_sub(self.left.start)
    }

    /// Reads only these bytes, counted from 0. As with a `Range` header, an end beyond the blob's is the blob's.
    ///
    /// # Errors
    /// [`BlobError::RangeNotSatisfiable`] if no byte of the blob is in the range.
    pub fn range(mut self, range: Range<u64>) -> Result<Self, BlobError> {
        let end = range.end.min(self.bytes);
        if range.start >= end {
            return Err(BlobError::RangeNotSatisfiable { bytes: self.bytes });
        }
        self.left = range.start..end;
        Ok(self)
    }

    /// The next piece, or `None` at the end.
    ///
    /// # Errors
    /// [`BlobError::Damaged`] if the file became shorter, and [`BlobError::Io`].
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, BlobError> {
        let length = usize::try_from(self.left()).unwrap_or(PIECE).min(PIECE);
        if length == 0 {
            return Ok(None);
        }
        let (file, from, hash) = (Arc::clone(&self.file), self.left.start, self.hash);
        let piece = blocking(move || {
            let mut piece = vec![0; length];
            file.read_exact_at(&mut piece, from).map_err(|error| match error.kind() {
                std::io::ErrorKind::UnexpectedEof => BlobError::Damaged { hash },
                _ => BlobError::io("read")(error),
            })?;
            Ok(piece)
        })
        .await?;
        // Only now: a call that was abandoned has taken nothing.
        self.left.start = self.left.start.saturating_add(u64::try_from(length).unwrap_or(u64::MAX));
        Ok(Some(piece.into()))
    }

    /// What is still to come, as a stream of pieces that ends after the first error.
    pub fn into_stream(self) -> impl Stream<Item = Result<Bytes, BlobError>> + Send + 'static {
        stream::try_unfold(self, |mut reader| async move { Ok(reader.chunk().await?.map(|piece| (piece, reader))) })
    }

    /// Reads the whole blob and compares it with its name.
    pub(crate) async fn verify(self) -> Result<BlobRef, BlobError> {
        blocking(move || {
            let mut hasher = Sha256::new();
            let mut piece = vec![0; PIECE];
            let mut bytes = 0_u64;
            loop {
                let length = self.file.read_at(&mut piece, bytes).map_err(BlobError::io("read"))?;
                let Some(read) = piece.get(..length).filter(|read| !read.is_empty()) else { break };
                hasher.update(read);
                bytes = bytes.saturating_add(u64::try_from(length).unwrap_or(u64::MAX));
            }
            if BlobHash::from(hasher) == self.hash {
                Ok(BlobRef { hash: self.hash, bytes })
            } else {
                Err(BlobError::Damaged { hash: self.hash })
            }
        })
        .await
    }
}

impl fmt::Debug for BlobReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BlobReader").field("hash", &self.hash).field("left", &self.left).finish_non_exhaustive()
    }
}
