use std::collections::HashSet;
use std::fs;
use std::time::Duration;

use omni_blobs::{BlobError, BlobHash, BlobOptions, Blobs, Swept};
use tempfile::TempDir;

use crate::folder::{StandingClock, drafts, visible};

const HOUR: Duration = Duration::from_secs(60 * 60);

async fn fresh(clock: &std::sync::Arc<StandingClock>) -> (TempDir, Blobs) {
    let folder = tempfile::tempdir().unwrap();
    let options = BlobOptions { grace: HOUR, ..BlobOptions::default() };
    let blobs = Blobs::open(folder.path(), options, clock.clone()).await.unwrap();
    (folder, blobs)
}

/// Sweeps with these as the only blobs that somebody refers to.
async fn sweep(blobs: &Blobs, older_than: Duration, kept: &[BlobHash]) -> Swept {
    let kept: HashSet<_> = kept.iter().copied().collect();
    let referenced = async |asked: &[BlobHash]| -> Result<_, BlobError> {
        assert!(asked.len() <= 1_000);
        Ok(asked.iter().copied().filter(|hash| kept.contains(hash)).collect())
    };
    blobs.sweep(older_than, referenced).await.unwrap()
}

#[tokio::test]
async fn what_nobody_refers_to_goes_once_it_is_old() {
    let clock = StandingClock::new();
    let (_folder, blobs) = fresh(&clock).await;
    let kept = blobs.put_bytes(b"kept").await.unwrap().hash;
    let garbage = blobs.put_bytes(b"garbage").await.unwrap().hash;
    assert_eq!(sweep(&blobs, Duration::ZERO, &[kept]).await, Swept { young: 2, ..Swept::default() });

    clock.advance(HOUR);
    let young = blobs.put_bytes(b"young").await.unwrap().hash;
    let older = sweep(&blobs, 2 * HOUR, &[]).await;
    assert_eq!(older, Swept { young: 3, ..Swept::default() }, "none is two hours old");
    let swept = sweep(&blobs, Duration::ZERO, &[kept]).await;
    assert_eq!(swept, Swept { removed: 1, freed: 7, referenced: 1, young: 1, abandoned: 0 });
    assert!(blobs.contains(&kept).await.unwrap());
    assert!(blobs.contains(&young).await.unwrap());
    assert!(!blobs.contains(&garbage).await.unwrap());
}

#[tokio::test]
async fn what_is_written_again_is_young_again() {
    let clock = StandingClock::new();
    let (_folder, blobs) = fresh(&clock).await;
    blobs.put_bytes(b"twice").await.unwrap();
    clock.advance(2 * HOUR);
    blobs.put_bytes(b"twice").await.unwrap();
    assert_eq!(sweep(&blobs, Duration::ZERO, &[]).await, Swept { young: 1, ..Swept::default() });
}

/// The upload comes after the sweep was told that nobody refers to the blob, and before it removes it.
#[tokio::test]
async fn what_is_written_again_during_the_sweep_stays() {
    let clock = StandingClock::new();
    let (_folder, blobs) = fresh(&clock).await;
    let hash = blobs.put_bytes(b"again").await.unwrap().hash;
    clock.advance(2 * HOUR);
    let referenced = async |asked: &[BlobHash]| -> Result<HashSet<BlobHash>, BlobError> {
        assert_eq!(asked, [hash]);
        blobs.put_bytes(b"again").await?;
        Ok(HashSet::new())
    };
    let swept = blobs.sweep(Duration::ZERO, referenced).await.unwrap();
    assert_eq!(swept, Swept { young: 1, ..Swept::default() });
    assert!(blobs.contains(&hash).await.unwrap());
}

#[tokio::test]
async fn a_sweep_that_gets_no_answer_removes_nothing() {
    let clock = StandingClock::new();
    let (_folder, blobs) = fresh(&clock).await;
    blobs.put_bytes(b"kept").await.unwrap();
    clock.advance(2 * HOUR);
    let away = async |_: &[BlobHash]| Err(BlobError::WriterEnded);
    assert!(matches!(blobs.sweep(Duration::ZERO, away).await, Err(BlobError::WriterEnded)));
    assert_eq!(visible(blobs.root()).len(), 1);
}

#[tokio::test]
async fn what_is_no_blob_is_left_alone() {
    let clock = StandingClock::new();
    let (_folder, blobs) = fresh(&clock).await;
    let path = blobs.path(&blobs.put_bytes(b"kept").await.unwrap().hash);
    let misplaced = path.with_file_name(BlobHash::of(b"elsewhere").to_string());
    let outside = blobs.root().join("outside");
    let link = blobs.path(&BlobHash::of(b"link"));
    fs::write(&misplaced, b"").unwrap();
    fs::write(path.with_file_name("notes.txt"), b"").unwrap();
    fs::write(&outside, b"").unwrap();
    fs::create_dir_all(link.parent().unwrap()).unwrap();
    std::os::unix::fs::symlink(&outside, &link).unwrap();
    let before = visible(blobs.root());
    clock.advance(Duration::from_secs(100 * 365 * 24 * 60 * 60));
    let swept = sweep(&blobs, Duration::ZERO, &[]).await;
    assert_eq!(swept, Swept { removed: 1, freed: 4, ..Swept::default() });
    let expected: Vec<_> = before.into_iter().filter(|left| !path.ends_with(left)).collect();
    assert_eq!(visible(blobs.root()), expected);
}

#[tokio::test]
async fn drafts_of_the_dead_go_and_those_of_the_living_stay() {
    let clock = StandingClock::new();
    let (_folder, blobs) = fresh(&clock).await;
    let mut writer = blobs.writer();
    writer.write(&vec![1; 300 * 1024]).await.unwrap();
    fs::write(blobs.root().join("drafts/99999-0"), b"left by a process that is no more").unwrap();
    assert_eq!(sweep(&blobs, Duration::ZERO, &[]).await, Swept { abandoned: 1, ..Swept::default() });
    fs::write(blobs.root().join("drafts/99999-1"), b"another").unwrap();
    let again = Blobs::open(blobs.root(), BlobOptions::default(), clock).await.unwrap();
    assert_eq!(drafts(again.root()), 1, "that of the writer");
    let stored = writer.finish().await.unwrap();
    assert_eq!(again.size(&stored.hash).await.unwrap(), Some(300 * 1024));
}
