//! An upload and a sweep of another process meet at one blob: the lock between them is held by the test, and the kernel
//! says who waits for it.

use std::collections::HashSet;
use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

use omni_blobs::{BlobError, BlobHash, BlobOptions, Blobs, Swept};
use omni_domain::Clock;
use tokio::task::JoinSet;

use crate::folder::{StandingClock, visible};

fn gate(root: &Path) -> File {
    File::open(root.join("gate.lock")).unwrap()
}

/// Waits until somebody waits for the lock of this file.
async fn awaited(gate: &File) {
    let inode = format!(":{} ", gate.metadata().unwrap().ino());
    let waiting = async {
        while !fs::read_to_string("/proc/locks")
            .unwrap()
            .lines()
            .any(|lock| lock.contains("->") && lock.contains(&inode))
        {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), waiting).await.expect("nobody goes through without asking");
}

#[tokio::test]
async fn a_blob_is_not_placed_while_somebody_looks_at_it_to_remove_it() {
    let folder = tempfile::tempdir().unwrap();
    let blobs = crate::folder::open(folder.path()).await;
    let gate = gate(folder.path());
    gate.lock().unwrap();
    let mut uploads = JoinSet::new();
    let uploading = blobs.clone();
    uploads.spawn(async move { uploading.put_bytes(b"new").await });
    awaited(&gate).await;
    assert!(visible(folder.path()).is_empty());
    gate.unlock().unwrap();
    let stored = uploads.join_next().await.unwrap().unwrap().unwrap();
    assert!(blobs.contains(&stored.hash).await.unwrap());
}

#[tokio::test]
async fn a_blob_that_is_placed_just_before_its_removal_stays() {
    let folder = tempfile::tempdir().unwrap();
    let clock = StandingClock::new();
    let blobs = Blobs::open(folder.path(), BlobOptions::default(), clock.clone()).await.unwrap();
    let hash = blobs.put_bytes(b"again").await.unwrap().hash;
    clock.advance(Duration::from_secs(24 * 60 * 60));
    let gate = gate(folder.path());
    gate.lock_shared().unwrap();
    let mut sweeps = JoinSet::new();
    let sweeping = blobs.clone();
    sweeps.spawn(async move {
        let nobody = async |_: &[BlobHash]| Ok::<_, BlobError>(HashSet::new());
        sweeping.sweep(Duration::ZERO, nobody).await
    });
    awaited(&gate).await;
    // What an upload of the same bytes does to the file.
    File::open(blobs.path(&hash)).unwrap().set_modified(clock.now().into()).unwrap();
    gate.unlock().unwrap();
    let swept = sweeps.join_next().await.unwrap().unwrap().unwrap();
    assert_eq!(swept, Swept { young: 1, ..Swept::default() });
    assert!(blobs.contains(&hash).await.unwrap());
}
