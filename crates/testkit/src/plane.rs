use std::io::{BufRead, BufReader};
use std::os::unix::process::parent_id;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use serde::Deserialize;

/// The servers that the tests of one run share.
#[derive(Debug, Clone, Deserialize)]
pub struct TestPlane {
    /// PostgreSQL, with leave to make databases.
    pub database_url: String,
    /// NATS with JetStream.
    pub nats_url: String,
}

impl TestPlane {
    /// The servers that `OMNI_TEST_DATABASE_URL` and `OMNI_TEST_NATS_URL` name, as `cargo xtask test` sets them; else those
    /// that the first test of this run starts, and that stop with the test runner. Blocks until they are there.
    ///
    /// # Panics
    /// If they cannot be started.
    pub fn get() -> &'static Self {
        static PLANE: OnceLock<TestPlane> = OnceLock::new();
        PLANE.get_or_init(|| Self::named().unwrap_or_else(Self::start))
    }

    #[expect(clippy::disallowed_methods, reason = "how `cargo xtask test` says where its servers are")]
    fn named() -> Option<Self> {
        let database_url = std::env::var("OMNI_TEST_DATABASE_URL").ok()?;
        let nats_url = std::env::var("OMNI_TEST_NATS_URL").ok()?;
        Some(Self { database_url, nats_url })
    }

    #[expect(clippy::zombie_processes, reason = "it serves the other tests of the run, and ends with their runner")]
    fn start() -> Self {
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let mut serving = Command::new(env!("CARGO"))
            .args(["run", "--quiet", "--package", "xtask", "--", "test-plane", "--until-parent-exits"])
            .arg(parent_id().to_string())
            .current_dir(workspace)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            // It outlives this test; a pipe that it kept open would make the runner wait for it.
            .stderr(Stdio::null())
            .spawn()
            .expect("cargo can be run");
        let mut line = String::new();
        BufReader::new(serving.stdout.take().unwrap()).read_line(&mut line).unwrap();
        serde_json::from_str(&line).expect("`cargo xtask test-plane` says where its servers are; run it to see why not")
    }
}
