//! A master key that is lost is not replaced in silence.

use std::fs;
use std::path::Path;

use omni_api::{Misconfigured, OperatingSystem, master_key};
use omni_sealing::MasterKey;
use omni_testkit::TestDatabase;

async fn start(database: &TestDatabase, path: &Path, accept_new: bool) -> anyhow::Result<MasterKey> {
    master_key(&database.store(), path, accept_new, &OperatingSystem).await
}

async fn refused(database: &TestDatabase, path: &Path) -> String {
    start(database, path, false).await.unwrap_err().downcast::<Misconfigured>().unwrap().0
}

#[tokio::test]
async fn a_start_without_the_key_is_refused_until_it_is_back() {
    let (database, folder) = (TestDatabase::new().await, tempfile::tempdir().unwrap());
    let path = folder.path().join("keys/master.key");
    let backup = folder.path().join("backup");
    let first = start(&database, &path, false).await.unwrap();
    let check = first.check_value(&OperatingSystem).unwrap();
    assert!(start(&database, &path, false).await.unwrap().made(&check));

    fs::rename(&path, &backup).unwrap();
    let refusal = refused(&database, &path).await;
    assert!(refusal.contains("master.key is not there") && refusal.contains("--accept-new-key"), "{refusal}");
    assert!(!path.exists(), "no other key takes its place");
    MasterKey::make_file(&path, &OperatingSystem).unwrap();
    assert!(refused(&database, &path).await.contains("another key"));

    fs::rename(&backup, &path).unwrap();
    assert!(start(&database, &path, false).await.unwrap().made(&check));
}

#[tokio::test]
async fn a_new_key_is_accepted_when_that_is_asked_for() {
    let (database, folder) = (TestDatabase::new().await, tempfile::tempdir().unwrap());
    let path = folder.path().join("master.key");
    let first = start(&database, &path, false).await.unwrap();
    fs::remove_file(&path).unwrap();
    let second = start(&database, &path, true).await.unwrap();
    assert!(!second.made(&first.check_value(&OperatingSystem).unwrap()));
    let third = start(&database, &path, false).await.unwrap();
    assert!(third.made(&second.check_value(&OperatingSystem).unwrap()), "from then on it is the key");
}

#[tokio::test]
async fn replicas_that_start_at_once_with_keys_of_their_own_do_not_both_go_on() {
    let (database, folder) = (TestDatabase::new().await, tempfile::tempdir().unwrap());
    let (one, other) = (folder.path().join("one.key"), folder.path().join("other.key"));
    let started = tokio::join!(start(&database, &one, false), start(&database, &other, false));
    assert_eq!([started.0.is_ok(), started.1.is_ok()].into_iter().filter(|is_ok| *is_ok).count(), 1);
}
