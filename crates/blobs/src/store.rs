use std::fmt;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, SystemTime};

use nix::sys::statvfs::statvfs;
use omni_domain::Clock;
use serde::{Deserialize, Serialize};

use crate::blocking::blocking;
use crate::layout::Layout;
use crate::{BlobError, BlobHash, BlobReader, BlobWriter, draft};

/// With less than this a disk is full: what writes at its end fails, if not now, then in a moment.
const LEAST_ROOM: u64 = 1024 * 1024;

/// A folder of blobs. Clones are the same folder.
#[derive(Clone)]
pub struct Blobs {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) layout: Layout,
    pub(crate) options: BlobOptions,
    pub(crate) drafts: AtomicU64,
    clock: Arc<dyn Clock>,
}

/// What holds for all blobs of a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlobOptions {
    /// The most bytes of one blob. Default: 1 GiB.
    pub max_bytes: u64,
    /// How long after its writing a blob is never garbage: time for its writer to say who refers to it. Default: 1 hour.
    pub grace: Duration,
}

impl Default for BlobOptions {
    fn default() -> Self {
        Self { max_bytes: 1024 * 1024 * 1024, grace: Duration::from_secs(60 * 60) }
    }
}

/// A blob that is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct BlobRef {
    /// Its name.
    pub hash: BlobHash,
    /// Its length.
    pub bytes: u64,
}

impl Blobs {
    /// Opens the folder, makes it if it is not there, and removes the drafts of processes that died in the middle. Only
    /// the owner may look into it (0700).
    ///
    /// # Errors
    /// [`BlobError::Folder`].
    pub async fn open(
        root: impl Into<PathBuf>,
        options: BlobOptions,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, BlobError> {
        let root = root.into();
        blocking(move || {
            let path = root.clone();
            let prepared = Layout::prepare(root).and_then(|layout| {
                let abandoned = draft::remove_abandoned(&layout)?;
                Ok((layout, abandoned))
            });
            let (layout, abandoned) = prepared.map_err(|source| {
                let problem = "cannot be used to store files; check who owns it and where it lies";
                BlobError::Folder { path, problem, source }
            })?;
            if abandoned > 0 {
                tracing::info!(abandoned, "removed uploads that a process had left unfinished");
            }
            Ok(Self { inner: Arc::new(Inner { layout, options, drafts: AtomicU64::new(0), clock }) })
        })
        .await
    }

    /// Begins a blob. Nothing is on the disk before the first bytes are.
    #[must_use]
    pub fn writer(&self) -> BlobWriter {
        BlobWriter::new(Arc::clone(&self.inner))
    }

    /// Stores what is in memory already.
    ///
    /// # Errors
    /// As [`BlobWriter::write`] and [`BlobWriter::finish`].
    pub async fn put_bytes(&self, content: &[u8]) -> Result<BlobRef, BlobError> {
        let mut writer = self.writer();
        writer.write(content).await?;
        writer.finish().await
    }

    /// Opens a blob. It can be read to its end even if it is removed meanwhile.
    ///
    /// # Errors
    /// [`BlobError::NotFound`] and [`BlobError::Io`].
    pub async fn reader(&self, hash: &BlobHash) -> Result<BlobReader, BlobError> {
        let (path, hash) = (self.path(hash), *hash);
        blocking(move || {
            let opened = File::open(path).and_then(|file| Ok((file.metadata()?.len(), file)));
            match opened {
                Ok((bytes, file)) => Ok(BlobReader::new(hash, file, bytes)),
                Err(error) if error.kind() == io::ErrorKind::NotFound => Err(BlobError::NotFound { hash }),
                Err(error) => Err(BlobError::io("read")(error)),
            }
        })
        .await
    }

    /// Where the blob is, or would be. For a child process that needs a file; it must not write to it.
    #[must_use]
    pub fn path(&self, hash: &BlobHash) -> PathBuf {
        self.inner.layout.blob(hash)
    }

    /// Whether the blob is there.
    ///
    /// # Errors
    /// [`BlobError::Io`].
    pub async fn contains(&self, hash: &BlobHash) -> Result<bool, BlobError> {
        Ok(self.size(hash).await?.is_some())
    }

    /// How long the blob is in bytes, if it is there.
    ///
    /// # Errors
    /// [`BlobError::Io`].
    pub async fn size(&self, hash: &BlobHash) -> Result<Option<u64>, BlobError> {
        let path = self.path(hash);
        blocking(move || match std::fs::metadata(path) {
            Ok(metadata) => Ok(Some(metadata.len())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(BlobError::io("looked at")(error)),
        })
        .await
    }

    /// Reads the whole blob and compares it with its name.
    ///
    /// # Errors
    /// [`BlobError::Damaged`] if it is another, [`BlobError::NotFound`] and [`BlobError::Io`].
    pub async fn verify(&self, hash: &BlobHash) -> Result<BlobRef, BlobError> {
        self.reader(hash).await?.verify().await
    }

    /// Removes a blob, whoever refers to it, and says whether it was there. Where that is not known, leave it to
    /// [`Blobs::sweep`].
    ///
    /// # Errors
    /// [`BlobError::Io`].
    pub async fn remove(&self, hash: &BlobHash) -> Result<bool, BlobError> {
        let path = self.path(hash);
        blocking(move || match std::fs::remove_file(path) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(BlobError::io("removed")(error)),
        })
        .await
    }

    /// Whether there is room for another blob, be it a small one.
    ///
    /// # Errors
    /// [`BlobError::Io`] if the disk does not say.
    pub async fn has_room(&self) -> Result<bool, BlobError> {
        let root = self.root().to_owned();
        blocking(move || {
            let disk = statvfs(&root).map_err(io::Error::from).map_err(BlobError::io("looked at"))?;
            #[cfg_attr(target_os = "linux", expect(clippy::useless_conversion, reason = "macOS counts in 32 bits"))]
            let blocks = u64::from(disk.blocks_available());
            let free = blocks.saturating_mul(disk.fragment_size());
            Ok(free >= LEAST_ROOM)
        })
        .await
    }

    /// The folder.
    #[must_use]
    pub fn root(&self) -> &Path {
        self.inner.layout.root()
    }
}

impl Inner {
    pub(crate) fn now(&self) -> SystemTime {
        self.clock.now().into()
    }
}

impl fmt::Debug for Blobs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Blobs")
            .field("root", &self.root())
            .field("options", &self.inner.options)
            .finish_non_exhaustive()
    }
}
