use std::fs::{File, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use sha2::{Digest, Sha256};

use crate::layout::{Layout, private_file};
use crate::{BlobHash, BlobRef};

/// A blob that is being written. Dropping it removes the file.
///
/// It holds a lock on its file. The kernel lets go of it when the process dies, however it dies: a draft that can be
/// locked is nobody's any more.
#[derive(Debug)]
pub(crate) struct Draft {
    path: PathBuf,
    file: File,
    hasher: Sha256,
    bytes: u64,
    placed: bool,
}

impl Draft {
    /// Makes a new file; `numbers` gives each draft of the process a name of its own.
    pub(crate) fn create(layout: &Layout, numbers: &AtomicU64) -> io::Result<Self> {
        loop {
            let number = numbers.fetch_add(1, Ordering::Relaxed);
            let path = layout.drafts().join(format!("{}-{number}", std::process::id()));
            let file = match private_file().create_new(true).open(&path) {
                // Another machine or container has a process of the same number.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
                opened => opened?,
            };
            let draft = Self { path, file, hasher: Sha256::new(), bytes: 0, placed: false };
            draft.file.lock()?;
            // Somebody may have taken it for abandoned before it was locked.
            if draft.file.metadata()?.nlink() > 0 {
                return Ok(draft);
            }
        }
    }

    pub(crate) fn append(&mut self, piece: &[u8]) -> io::Result<()> {
        self.file.write_all(piece)?;
        self.hasher.update(piece);
        self.bytes = self.bytes.saturating_add(u64::try_from(piece.len()).unwrap_or(u64::MAX));
        Ok(())
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// What its blob is called.
    pub(crate) fn hash(&self) -> BlobHash {
        BlobHash::from(self.hasher.clone())
    }

    /// Returns when the disk has all of it.
    pub(crate) fn flush(&self) -> io::Result<()> {
        self.file.sync_all()
    }

    /// Makes it the blob that it is. If there is one already, this one takes its place: it is known to be whole, and the
    /// time of its writing, `now`, begins its grace anew.
    pub(crate) fn place(mut self, layout: &Layout, now: SystemTime) -> io::Result<BlobRef> {
        self.file.set_modified(now)?;
        self.file.sync_all()?;
        let hash = BlobHash::from(std::mem::take(&mut self.hasher));
        layout.place(&self.path, &hash)?;
        self.placed = true;
        Ok(BlobRef { hash, bytes: self.bytes })
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // After a rename that was not known to the disk, the draft's name is gone and this removes nothing.
        if !self.placed
            && let Err(error) = std::fs::remove_file(&self.path)
        {
            tracing::debug!(%error, "a draft stays until the next sweep");
        }
    }
}

/// Removes the drafts of processes that are no more, and says how many there were.
pub(crate) fn remove_abandoned(layout: &Layout) -> io::Result<u64> {
    let mut removed = 0;
    for entry in std::fs::read_dir(layout.drafts())? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            removed += u64::from(remove_if_abandoned(&entry.path())?);
        }
    }
    Ok(removed)
}

fn remove_if_abandoned(path: &Path) -> io::Result<bool> {
    let file = match File::open(path) {
        // It became a blob meanwhile.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        opened => opened?,
    };
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => return Ok(false),
        Err(TryLockError::Error(error)) => return Err(error),
        Ok(()) => {}
    }
    // A draft that was placed and let go of just now has another name by now, and is no longer found under this one.
    match std::fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        other => other.map(|()| true),
    }
}
