//! What the tests stand on: the launcher, a shell child, and a way to wait for a condition.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use omni_supervise::{Output, Spec, Supervisor};
use tokio::sync::mpsc;

/// Far more than anything here takes, so that only a defect reaches it.
pub(crate) const DEADLINE: Duration = Duration::from_secs(20);

/// The example that acts as the launcher, since a test's `main` is not ours; cargo builds it with the tests.
pub(crate) fn owner_program() -> PathBuf {
    let tests = std::env::current_exe().unwrap();
    let program = tests.parent().and_then(|deps| deps.parent()).unwrap().join("examples/owner");
    assert!(program.exists(), "{} is missing: run `cargo build -p omni-supervise --examples`", program.display());
    program
}

pub(crate) fn supervisor() -> Supervisor {
    Supervisor::start(owner_program()).unwrap()
}

/// A shell child whose lines can be read.
pub(crate) fn shell(script: &str) -> (Spec, mpsc::Receiver<String>) {
    let (lines, reader) = mpsc::channel(64);
    let spec = Spec::new("shell", "/bin/sh").arg("-c").arg(script).output(Output::Lines(lines));
    (spec, reader)
}

pub(crate) async fn next_line(reader: &mut mpsc::Receiver<String>) -> String {
    tokio::time::timeout(DEADLINE, reader.recv()).await.expect("a line in time").expect("a line before the end")
}

/// Whether a process with this id runs; one that only waits to be reaped does not.
#[cfg(target_os = "linux")]
pub(crate) fn runs(pid: u32) -> bool {
    // "1234 (a name, perhaps with parentheses) S …"
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, fields)| !fields.starts_with('Z'))
}

/// Whether a process with this id runs; one that only waits to be reaped does not.
#[cfg(not(target_os = "linux"))]
pub(crate) fn runs(pid: u32) -> bool {
    let state = std::process::Command::new("ps").args(["-o", "state=", "-p", &pid.to_string()]).output().unwrap();
    let state = String::from_utf8(state.stdout).unwrap();
    !state.trim().is_empty() && !state.starts_with('Z')
}

/// Waits until `condition` holds.
pub(crate) fn eventually(what: &str, condition: impl Fn() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < DEADLINE, "still not so: {what}");
        std::thread::yield_now();
    }
}
