//! What the tests stand on: a fetched bundle, a launcher, and a database connection.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use omni_dataplane::{DataPlane, Error, Installation, Options, Places};
use omni_domain::Entropy;
use omni_supervise::Supervisor;
use tokio::task::JoinSet;
use tokio_postgres::{Client, NoTls};

/// Far more than anything here takes, so that only a defect reaches it.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);

/// Not random, and so recognisable where it must not appear.
pub(crate) struct Fixed;

impl Entropy for Fixed {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(0xab);
    }
}

/// The example that acts as the launcher, since a test's `main` is not ours; cargo builds it with the tests.
pub(crate) fn plane_program() -> PathBuf {
    let tests = std::env::current_exe().unwrap();
    let program = tests.parent().and_then(|deps| deps.parent()).unwrap().join("examples/plane");
    assert!(program.exists(), "{} is missing: run `cargo build -p omni-dataplane --examples`", program.display());
    program
}

pub(crate) fn supervisor() -> Supervisor {
    Supervisor::start(plane_program()).unwrap()
}

#[expect(clippy::disallowed_methods, reason = "the tests use the machine's own cache")]
pub(crate) fn places() -> Places {
    Places::from_env(|name| std::env::var_os(name), Path::new(env!("CARGO_TARGET_TMPDIR")))
}

/// The machine's places, with the bundle in the cache.
pub(crate) async fn furnished_places() -> Places {
    let places = places();
    let report = |sentence: &str| println!("{sentence}");
    Installation::ensure(&places, &supervisor(), &report).await.unwrap();
    places
}

pub(crate) async fn start(options: Options) -> Result<DataPlane, Error> {
    DataPlane::start(options, &supervisor(), &Fixed).await
}

/// A data directory, whose parent is ours so that the logs beside it are too.
pub(crate) fn data_dir() -> (tempfile::TempDir, PathBuf) {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    (home, data)
}

/// A connection, and the task that drives it.
pub(crate) async fn connect(url: &str) -> (Client, JoinSet<()>) {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    let mut driver = JoinSet::new();
    driver.spawn(async move { connection.await.unwrap() });
    (client, driver)
}

pub(crate) async fn setting(client: &Client, name: &str) -> String {
    client.query_one("SELECT current_setting($1)", &[&name]).await.unwrap().get(0)
}

/// Whether a process with this id runs; one that only waits to be reaped does not.
pub(crate) fn runs(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, fields)| !fields.starts_with('Z'))
}

/// Waits until `condition` holds.
pub(crate) fn eventually(what: &str, condition: impl Fn() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < DEADLINE, "still not so: {what}");
        std::thread::yield_now();
    }
}

pub(crate) fn we_are_root() -> bool {
    nix::unistd::geteuid().is_root()
}
