use std::fs;

use futures::TryStreamExt;
use omni_blobs::{BlobError, BlobHash, Blobs};
use omni_domain::{ErrorKind, Failure};

use crate::folder::fresh;

fn content() -> Vec<u8> {
    (0_u8..=250).cycle().take(900_000).collect()
}

async fn all(blobs: &Blobs, hash: &BlobHash, range: std::ops::Range<u64>) -> Vec<u8> {
    let pieces: Vec<_> =
        blobs.reader(hash).await.unwrap().range(range).unwrap().into_stream().try_collect().await.unwrap();
    assert!(pieces.iter().all(|piece| (1..=256 * 1024).contains(&piece.len())));
    pieces.concat()
}

#[tokio::test]
async fn a_blob_or_any_part_of_it_comes_back() {
    let (_folder, blobs) = fresh().await;
    let content = content();
    let hash = blobs.put_bytes(&content).await.unwrap().hash;
    let reader = blobs.reader(&hash).await.unwrap();
    assert_eq!((reader.bytes(), reader.left()), (900_000, 900_000));
    let whole: Vec<_> = reader.into_stream().try_collect().await.unwrap();
    assert_eq!(whole.concat(), content);
    for (from, to) in [(0, 1), (0, 262_144), (262_143, 262_145), (1, 900_000), (899_999, 900_000), (500, 5_000_000)] {
        let expected = &content[from..to.min(900_000)];
        let range = u64::try_from(from).unwrap()..u64::try_from(to).unwrap();
        assert!(all(&blobs, &hash, range).await == expected, "{from}..{to}");
    }
}

#[tokio::test]
async fn a_range_without_a_byte_of_the_blob_is_refused() {
    let (_folder, blobs) = fresh().await;
    let hash = blobs.put_bytes(b"abc").await.unwrap().hash;
    #[expect(clippy::reversed_empty_ranges, reason = "what a client may send")]
    for range in [3..4, u64::MAX - 1..u64::MAX, 1..1, 2..1] {
        let error = blobs.reader(&hash).await.unwrap().range(range).unwrap_err();
        assert!(matches!(error, BlobError::RangeNotSatisfiable { bytes: 3 }), "{error:?}");
        assert_eq!(error.kind(), ErrorKind::Invalid);
    }
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let (_folder, blobs) = fresh().await;
    let hash = BlobHash::of(b"never written");
    for error in [blobs.reader(&hash).await.map(drop).unwrap_err(), blobs.verify(&hash).await.map(drop).unwrap_err()] {
        assert!(matches!(error, BlobError::NotFound { .. }), "{error:?}");
        assert_eq!((error.kind(), error.code()), (ErrorKind::NotFound, "blob_not_found"));
    }
}

#[tokio::test]
async fn a_reader_outlives_the_removal_of_its_blob() {
    let (_folder, blobs) = fresh().await;
    let content = content();
    let hash = blobs.put_bytes(&content).await.unwrap().hash;
    let reader = blobs.reader(&hash).await.unwrap();
    blobs.remove(&hash).await.unwrap();
    let whole: Vec<_> = reader.into_stream().try_collect().await.unwrap();
    assert_eq!(whole.concat(), content);
}

#[tokio::test]
async fn damage_is_noticed() {
    let (_folder, blobs) = fresh().await;
    let mut content = content();
    let stored = blobs.put_bytes(&content).await.unwrap();
    assert_eq!(blobs.verify(&stored.hash).await.unwrap(), stored);

    content[600_000] ^= 1;
    fs::write(blobs.path(&stored.hash), &content).unwrap();
    let error = blobs.verify(&stored.hash).await.unwrap_err();
    assert!(matches!(error, BlobError::Damaged { hash } if hash == stored.hash), "{error:?}");
    assert_eq!((error.kind(), error.code()), (ErrorKind::Internal, "blob_damaged"));

    let mut reader = blobs.reader(&stored.hash).await.unwrap();
    reader.chunk().await.unwrap().unwrap();
    fs::write(blobs.path(&stored.hash), b"short").unwrap();
    let error = reader.chunk().await.unwrap_err();
    assert!(matches!(error, BlobError::Damaged { .. }), "{error:?}");

    // Whoever uploads the file again mends it.
    content[600_000] ^= 1;
    blobs.put_bytes(&content).await.unwrap();
    assert_eq!(blobs.verify(&stored.hash).await.unwrap(), stored);
}
