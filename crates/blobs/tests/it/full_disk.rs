//! A disk without space: a small tmpfs, where the machine lets us mount one.

use std::path::{Path, PathBuf};
use std::process::Command;

use omni_blobs::{BlobError, BlobHash};
use omni_domain::{ErrorKind, Failure};
use tempfile::TempDir;

use crate::folder::{no_drafts, open, visible};

const MIB: usize = 1024 * 1024;

/// Four megabytes, gone when it is dropped.
struct SmallDisk {
    folder: TempDir,
}

impl SmallDisk {
    fn mount() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=4m", "tmpfs"]).arg(folder.path()).output();
        match mounted {
            Ok(output) if output.status.success() => Some(Self { folder }),
            refused => {
                eprintln!("SKIPPED: no tmpfs can be mounted here, which takes root: {refused:?}");
                None
            }
        }
    }

    fn root(&self) -> PathBuf {
        self.folder.path().join("blobs")
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let unmounted = Command::new("umount").arg("-l").arg(self.path()).status();
        assert!(unmounted.is_ok_and(|status| status.success()) || std::thread::panicking());
    }
}

async fn upload(blobs: &omni_blobs::Blobs, bytes: usize, filling: u8) -> Result<omni_blobs::BlobRef, BlobError> {
    let mut writer = blobs.writer();
    let chunk = vec![filling; 64 * 1024];
    for _ in 0..bytes / chunk.len() {
        writer.write(&chunk).await?;
    }
    writer.finish().await
}

#[tokio::test]
async fn is_told_as_such_leaves_nothing_and_passes() {
    let Some(disk) = SmallDisk::mount() else { return };
    let blobs = open(&disk.root()).await;
    let stored = upload(&blobs, 2 * MIB, 1).await.unwrap();
    let before = visible(blobs.root());

    for _ in 0..3 {
        let error = upload(&blobs, 8 * MIB, 2).await.unwrap_err();
        assert!(matches!(error, BlobError::StorageFull { .. }), "{error:?}");
        assert_eq!((error.kind(), error.code()), (ErrorKind::StorageFull, "storage_full"));
        assert!(!error.to_string().contains('/'), "{error}");
        no_drafts(blobs.root()).await;
        assert_eq!(visible(blobs.root()), before);
    }
    // What was there can be read, and what still fits be written.
    assert_eq!(blobs.verify(&stored.hash).await.unwrap(), stored);
    upload(&blobs, MIB, 3).await.unwrap();

    assert!(upload(&blobs, 2 * MIB, 4).await.is_err());
    blobs.remove(&stored.hash).await.unwrap();
    let stored = upload(&blobs, 2 * MIB, 4).await.unwrap();
    assert_eq!(stored.hash, BlobHash::of(&vec![4; 2 * MIB]));
    assert_eq!(blobs.verify(&stored.hash).await.unwrap(), stored);
}
