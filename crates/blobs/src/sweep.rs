use std::collections::HashSet;
use std::fs::{self, Metadata};
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::blocking::blocking;
use crate::layout::Layout;
use crate::store::Inner;
use crate::{BlobError, BlobHash, Blobs, draft};

/// So many hashes are asked for at a time.
const BATCH: usize = 1_000;

/// What a sweep did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Swept {
    /// Blobs that nobody referred to, and that are gone.
    pub removed: u64,
    /// How long those were together, in bytes.
    pub freed: u64,
    /// Blobs that somebody refers to.
    pub referenced: u64,
    /// Blobs that are too young to be garbage; nobody was asked about them.
    pub young: u64,
    /// Drafts of processes that are no more, and that are gone.
    pub abandoned: u64,
}

impl Blobs {
    /// Removes the blobs that nobody refers to and that were written longer than `older_than` ago, and never one within
    /// the folder's [grace](crate::BlobOptions::grace).
    ///
    /// `referenced` is given up to 1000 hashes at a time and answers with those that somebody refers to. A blob that is
    /// written once more between its answer and the removal is young again, and stays.
    ///
    /// # Errors
    /// The first error of `referenced`, or of the file system as a [`BlobError`]; what was removed before stays removed.
    pub async fn sweep<E: From<BlobError>>(
        &self,
        older_than: Duration,
        mut referenced: impl AsyncFnMut(&[BlobHash]) -> Result<HashSet<BlobHash>, E>,
    ) -> Result<Swept, E> {
        // A moment of the past, so that what is written during the sweep is young.
        let age = older_than.max(self.inner.options.grace);
        let newest = self.inner.now().checked_sub(age).unwrap_or(SystemTime::UNIX_EPOCH);
        let mut swept = Swept { abandoned: self.on_disk(remove_abandoned).await?, ..Swept::default() };
        for first in 0..=u8::MAX {
            let shard = self.on_disk(move |store| shard(&store.layout, first, newest)).await?;
            swept.young += shard.young;
            for batch in shard.old.chunks(BATCH) {
                let kept = referenced(batch).await?;
                let garbage: Vec<_> = batch.iter().copied().filter(|hash| !kept.contains(hash)).collect();
                swept.referenced += count(batch.len().saturating_sub(garbage.len()));
                let gone = self.on_disk(move |store| remove_all(&store.layout, &garbage, newest)).await?;
                swept.removed += gone.removed;
                swept.freed += gone.freed;
                swept.young += gone.young;
            }
        }
        Ok(swept)
    }

    async fn on_disk<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Inner) -> io::Result<T> + Send + 'static,
    ) -> Result<T, BlobError> {
        let store = Arc::clone(&self.inner);
        blocking(move || work(&store).map_err(BlobError::io("swept"))).await
    }
}

fn remove_abandoned(store: &Inner) -> io::Result<u64> {
    draft::remove_abandoned(&store.layout)
}

/// The blobs of one folder of the first level.
#[derive(Default)]
struct Shard {
    old: Vec<BlobHash>,
    young: u64,
}

fn shard(layout: &Layout, first: u8, newest: SystemTime) -> io::Result<Shard> {
    let mut shard = Shard::default();
    let folder = layout.shard(first);
    for second in entries(&folder)? {
        let second = second?;
        if !second.file_type()?.is_dir() {
            continue;
        }
        for entry in entries(&second.path())? {
            let entry = entry?;
            let named = entry.file_name().to_str().and_then(|name| name.parse().ok());
            // What lies where its own hash would not have put it is not ours to judge.
            let Some(hash) = named.filter(|hash| layout.blob(hash) == entry.path()) else { continue };
            match entry.metadata() {
                Ok(metadata) if !metadata.is_file() => {}
                Ok(metadata) if is_old(&metadata, newest)? => shard.old.push(hash),
                Ok(_) => shard.young += 1,
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
    }
    Ok(shard)
}

/// What is in a folder; nothing, if there is no such folder.
fn entries(folder: &Path) -> io::Result<impl Iterator<Item = io::Result<fs::DirEntry>>> {
    match fs::read_dir(folder) {
        Ok(entries) => Ok(Some(entries).into_iter().flatten()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None.into_iter().flatten()),
        Err(error) => Err(error),
    }
}

fn is_old(metadata: &Metadata, newest: SystemTime) -> io::Result<bool> {
    Ok(metadata.is_file() && metadata.modified()? <= newest)
}

fn remove_all(layout: &Layout, garbage: &[BlobHash], newest: SystemTime) -> io::Result<Swept> {
    let mut gone = Swept::default();
    let gate = layout.gate()?;
    for hash in garbage {
        // One at a time, so that a writer never waits for more than one removal.
        gate.lock()?;
        let removed = remove_if_old(&layout.blob(hash), newest);
        gate.unlock()?;
        match removed? {
            Some(bytes) => {
                gone.removed += 1;
                gone.freed = gone.freed.saturating_add(bytes);
            }
            None => gone.young += 1,
        }
    }
    Ok(gone)
}

/// Removes a blob unless it was written again, and says how long it was.
fn remove_if_old(path: &Path, newest: SystemTime) -> io::Result<Option<u64>> {
    let looked_at = fs::symlink_metadata(path);
    let removed = looked_at.and_then(|metadata| {
        if !is_old(&metadata, newest)? {
            return Ok(None);
        }
        fs::remove_file(path)?;
        Ok(Some(metadata.len()))
    });
    match removed {
        // Somebody else removed it.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Some(0)),
        other => other,
    }
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}
