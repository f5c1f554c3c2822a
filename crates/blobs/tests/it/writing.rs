use std::fs;
use std::os::unix::fs::PermissionsExt;

use futures::future::join_all;
use omni_blobs::{BlobError, BlobHash, BlobOptions};
use omni_domain::{ErrorKind, Failure};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use crate::folder::{drafts, fresh, no_drafts, open_with, visible};

const KIB: usize = 1024;

fn mode(path: &std::path::Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[tokio::test]
async fn a_blob_lies_where_its_hash_says_and_only_its_owner_sees_it() {
    let (_folder, blobs) = fresh().await;
    let stored = blobs.put_bytes(b"abc").await.unwrap();
    assert_eq!((stored.hash, stored.bytes), (BlobHash::of(b"abc"), 3));
    let expected = "ba/78/ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_eq!(visible(blobs.root()), [expected]);
    let path = blobs.path(&stored.hash);
    assert_eq!(path, blobs.root().join(expected));
    assert_eq!(fs::read(&path).unwrap(), b"abc");
    assert_eq!(mode(&path), 0o600);
    for folder in path.ancestors().skip(1).take(3) {
        assert_eq!(mode(folder), 0o700, "{}", folder.display());
    }
    assert_eq!(mode(&blobs.root().join("drafts")), 0o700);
    assert_eq!(drafts(blobs.root()), 0);
}

#[tokio::test]
async fn a_folder_that_others_may_read_is_closed_to_them() {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let blobs = open_with(folder.path(), BlobOptions::default()).await;
    assert_eq!(mode(blobs.root()), 0o700);
}

#[tokio::test]
async fn nothing_at_all_is_a_blob_too() {
    let (_folder, blobs) = fresh().await;
    let stored = blobs.writer().finish().await.unwrap();
    assert_eq!((stored.hash, stored.bytes), (BlobHash::of(b""), 0));
    assert_eq!(blobs.size(&stored.hash).await.unwrap(), Some(0));
}

#[test]
fn however_the_bytes_are_cut_the_blob_is_the_same() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let (_folder, blobs) = runtime.block_on(fresh());
    let cuts = proptest::collection::vec(0..400 * KIB, 0..6);
    let config = ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() };
    TestRunner::new(config)
        .run(&cuts, |cuts| {
            let content: Vec<u8> = (0_u8..=250).cycle().take(cuts.iter().sum()).collect();
            let stored = runtime.block_on(async {
                let mut writer = blobs.writer();
                let mut rest = content.as_slice();
                for cut in cuts {
                    let (now, later) = rest.split_at(cut);
                    writer.write(now).await.unwrap();
                    rest = later;
                }
                writer.finish().await.unwrap()
            });
            prop_assert_eq!(stored.hash, BlobHash::of(&content));
            prop_assert_eq!(fs::read(blobs.path(&stored.hash)).unwrap(), content);
            Ok(())
        })
        .unwrap();
}

#[tokio::test]
async fn two_writers_of_the_same_bytes_end_with_one_file() {
    let (_folder, blobs) = fresh().await;
    let content = vec![7; 700 * KIB];
    let stored = join_all((0..8).map(|_| blobs.put_bytes(&content))).await;
    assert!(stored.iter().all(|stored| stored.as_ref().unwrap().hash == BlobHash::of(&content)));
    assert_eq!(visible(blobs.root()).len(), 1);
    assert_eq!(drafts(blobs.root()), 0);
}

#[tokio::test]
async fn the_limit_is_the_last_byte_taken() {
    let folder = tempfile::tempdir().unwrap();
    let options = BlobOptions { max_bytes: 1_000_000, ..BlobOptions::default() };
    let blobs = open_with(folder.path(), options).await;
    assert_eq!(blobs.put_bytes(&vec![1; 1_000_000]).await.unwrap().bytes, 1_000_000);

    let mut writer = blobs.writer().at_most(u64::MAX);
    writer.write(&vec![2; 1_000_000]).await.unwrap();
    let error = writer.write(b"x").await.unwrap_err();
    assert!(matches!(error, BlobError::TooLarge { limit: 1_000_000 }), "{error:?}");
    assert_eq!((error.kind(), error.code()), (ErrorKind::TooLarge, "file_too_large"));
    // The rest of what the client sends is refused as well, and the blob cannot be finished by mistake.
    assert!(matches!(writer.write(b"x").await, Err(BlobError::WriterEnded)));
    assert!(matches!(writer.finish().await, Err(BlobError::WriterEnded)));
    no_drafts(blobs.root()).await;

    let error = blobs.writer().at_most(10).write(&[0; 11]).await.unwrap_err();
    assert!(matches!(error, BlobError::TooLarge { limit: 10 }), "{error:?}");
    assert_eq!(visible(blobs.root()).len(), 1);
}

#[tokio::test]
async fn an_unfinished_writer_leaves_nothing() {
    let (_folder, blobs) = fresh().await;
    let mut writer = blobs.writer();
    writer.write(&vec![1; 600 * KIB]).await.unwrap();
    assert_eq!(drafts(blobs.root()), 1);
    drop(writer);
    no_drafts(blobs.root()).await;
    assert!(visible(blobs.root()).is_empty());
}

#[tokio::test]
async fn a_write_that_was_abandoned_ends_the_upload() {
    let (_folder, blobs) = fresh().await;
    let mut writer = blobs.writer();
    let content = vec![1; 3000 * KIB];
    {
        let mut write = std::pin::pin!(writer.write(&content));
        assert!(futures::poll!(&mut write).is_pending(), "three megabytes are not on the disk at once");
    }
    assert!(matches!(writer.write(b"more").await, Err(BlobError::WriterEnded)));
    assert!(matches!(writer.finish().await, Err(BlobError::WriterEnded)));
    no_drafts(blobs.root()).await;
    assert!(visible(blobs.root()).is_empty());
}

#[tokio::test]
async fn removing_is_done_once_and_asked_for_as_often_as_one_likes() {
    let (_folder, blobs) = fresh().await;
    let stored = blobs.put_bytes(b"abc").await.unwrap();
    assert!(blobs.contains(&stored.hash).await.unwrap());
    assert!(blobs.remove(&stored.hash).await.unwrap());
    assert!(!blobs.remove(&stored.hash).await.unwrap());
    assert!(!blobs.contains(&stored.hash).await.unwrap());
    assert_eq!(blobs.size(&stored.hash).await.unwrap(), None);
}

#[tokio::test]
async fn a_place_that_cannot_be_a_folder_is_said_with_its_path() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    fs::write(&path, b"").unwrap();
    let clock = crate::folder::StandingClock::new();
    let error = omni_blobs::Blobs::open(&path, BlobOptions::default(), clock).await.unwrap_err();
    assert!(matches!(error, BlobError::Folder { .. }), "{error:?}");
    assert!(error.to_string().contains(path.to_str().unwrap()), "{error}");
    assert_eq!(error.kind(), ErrorKind::Internal, "paths are for the log only");
}
