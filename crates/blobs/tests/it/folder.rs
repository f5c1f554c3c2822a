//! A folder for each test, and what is in it.

use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use omni_blobs::{BlobOptions, Blobs};
use omni_domain::{Clock, Timestamp};
use tempfile::TempDir;
use time::macros::datetime;

/// A clock that stands still until a test moves it.
pub(crate) struct StandingClock(Mutex<Timestamp>);

impl StandingClock {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self(Mutex::new(datetime!(2026-01-15 12:00 UTC))))
    }

    pub(crate) fn advance(&self, by: Duration) {
        *self.0.lock().unwrap() += by;
    }
}

impl Clock for StandingClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }
}

pub(crate) async fn open(root: &Path) -> Blobs {
    open_with(root, BlobOptions::default()).await
}

pub(crate) async fn open_with(root: &Path, options: BlobOptions) -> Blobs {
    Blobs::open(root, options, StandingClock::new()).await.unwrap()
}

pub(crate) async fn fresh() -> (TempDir, Blobs) {
    let folder = tempfile::tempdir().unwrap();
    let blobs = open(&folder.path().join("blobs")).await;
    (folder, blobs)
}

/// The files of blobs below the root, by their paths.
pub(crate) fn visible(root: &Path) -> Vec<String> {
    let mut found = Vec::new();
    collect(root, root, &mut found);
    found.retain(|path| path != "gate.lock" && !path.starts_with("drafts/"));
    found.sort();
    found
}

pub(crate) fn drafts(root: &Path) -> usize {
    fs::read_dir(root.join("drafts")).unwrap().count()
}

/// Waits for what a dropped writer leaves to another thread.
pub(crate) async fn no_drafts(root: &Path) {
    let gone = async {
        while drafts(root) > 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), gone).await.expect("the drafts are removed");
}

fn collect(root: &Path, folder: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(root, &path, found);
        } else {
            found.push(path.strip_prefix(root).unwrap().to_str().unwrap().to_owned());
        }
    }
}
