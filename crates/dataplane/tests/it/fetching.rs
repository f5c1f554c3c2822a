use std::fs;
use std::sync::Mutex;

use omni_dataplane::{Installation, Options, Places};

use crate::setting::{start, supervisor};

/// Two at once, into an empty cache: one fetches, the other waits, both can start.
#[tokio::test]
async fn an_empty_cache_is_filled_once() {
    let home = tempfile::Builder::new().prefix("omni-cache-").tempdir().unwrap();
    fs::set_permissions(home.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let cache = home.path().join("cache");
    fs::create_dir(&cache).unwrap();
    fs::create_dir(cache.join(".fetching-killed")).unwrap();
    let read = |name: &str| (name == "OMNI_CACHE_DIR").then(|| cache.clone().into_os_string());
    let places = Places::from_env(read, home.path());

    let reports = Mutex::new(Vec::new());
    let report = |sentence: &str| reports.lock().unwrap().push(sentence.to_owned());
    let supervisor = supervisor();
    let (first, second) = tokio::join!(
        Installation::ensure(&places, &supervisor, &report),
        Installation::ensure(&places, &supervisor, &report),
    );
    let programs = first.unwrap().client_programs().unwrap();
    assert_eq!(second.unwrap().client_programs().as_ref(), Some(&programs));
    assert!(programs.starts_with(&cache) && programs.join("pgbench").exists(), "{}", programs.display());

    let reports = reports.into_inner().unwrap();
    assert_eq!(reports.iter().filter(|sentence| sentence.starts_with("fetching")).count(), 1, "{reports:?}");
    let mut left: Vec<_> = fs::read_dir(&cache).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    left.sort();
    assert!(left.len() == 2 && left[1] == "fetch.lock", "{left:?}");

    let plane = start(Options::for_tests(places)).await.unwrap();
    plane.stop().await.unwrap();
}
