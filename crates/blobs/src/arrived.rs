use std::fmt;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use tokio::runtime::Handle;

use crate::blocking::blocking;
use crate::draft::Draft;
use crate::store::Inner;
use crate::{BlobError, BlobHash, BlobReader, BlobRef};

/// All of a blob, before it is one: a file that only its holder knows of. Dropping it leaves nothing.
pub struct BlobDraft {
    store: Arc<Inner>,
    hash: BlobHash,
    /// Until it is kept.
    draft: Option<Draft>,
}

impl BlobDraft {
    pub(crate) fn new(store: Arc<Inner>, draft: Draft) -> Self {
        Self { store, hash: draft.hash(), draft: Some(draft) }
    }

    /// What its blob will be called.
    #[must_use]
    pub const fn hash(&self) -> BlobHash {
        self.hash
    }

    /// Its length.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.draft.as_ref().map_or(0, Draft::bytes)
    }

    /// Where it is. For a child process that needs a file; it must not write to it.
    ///
    /// # Errors
    /// [`BlobError::WriterEnded`] if it was kept or given up.
    pub fn path(&self) -> Result<&Path, BlobError> {
        self.draft.as_ref().map(Draft::path).ok_or(BlobError::WriterEnded)
    }

    /// Reads it.
    ///
    /// # Errors
    /// [`BlobError::Io`].
    pub async fn reader(&self) -> Result<BlobReader, BlobError> {
        let (path, hash, bytes) = (self.path()?.to_owned(), self.hash, self.bytes());
        blocking(move || {
            let file = File::open(path).map_err(BlobError::io("read"))?;
            Ok(BlobReader::new(hash, file, bytes))
        })
        .await
    }

    /// Returns when the disk has all of it. [`BlobDraft::keep`] is quick then.
    ///
    /// # Errors
    /// [`BlobError::StorageFull`] and [`BlobError::Io`]; there is nothing left of it then.
    pub async fn flush(&mut self) -> Result<(), BlobError> {
        let draft = self.draft.take().ok_or(BlobError::WriterEnded)?;
        let flushed = blocking(move || {
            draft.flush().map_err(BlobError::io("written"))?;
            Ok(draft)
        });
        self.draft = Some(flushed.await?);
        Ok(())
    }

    /// Makes it a blob: when this returns, it is on the disk whole and under its name.
    ///
    /// # Errors
    /// [`BlobError::StorageFull`] and [`BlobError::Io`]; there is nothing left of it then.
    pub async fn keep(mut self) -> Result<BlobRef, BlobError> {
        let draft = self.draft.take().ok_or(BlobError::WriterEnded)?;
        let store = Arc::clone(&self.store);
        blocking(move || draft.place(&store.layout, store.now()).map_err(BlobError::io("written"))).await
    }
}

impl Drop for BlobDraft {
    fn drop(&mut self) {
        // Removing a large file takes time.
        if let (Some(draft), Ok(runtime)) = (self.draft.take(), Handle::try_current()) {
            runtime.spawn_blocking(move || drop(draft));
        }
    }
}

impl fmt::Debug for BlobDraft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BlobDraft").field("hash", &self.hash).field("bytes", &self.bytes()).finish_non_exhaustive()
    }
}
