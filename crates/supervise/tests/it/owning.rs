//! The owner is another process here, and dies without a chance to clean up.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::setting::{eventually, owner_program, runs};

struct Owner {
    process: Child,
    child: u32,
}

impl Owner {
    /// An owner whose child runs `script`, once that has made `ready`.
    fn start(death_signal: &str, script: &str, ready: &Path) -> Self {
        let mut process = Command::new(owner_program())
            .args([death_signal, "/bin/sh", "-c", script])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let child = line.trim().strip_prefix("child ").unwrap().parse().unwrap();
        eventually("the child is ready", || ready.exists());
        Self { process, child }
    }

    fn kill(mut self) -> u32 {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
        self.child
    }
}

#[test]
#[cfg(target_os = "linux")]
fn killing_the_owner_gives_the_child_its_death_signal() {
    let dir = tempfile::tempdir().unwrap();
    let (ready, witness) = (dir.path().join("ready"), dir.path().join("died-by"));
    let script = format!(
        "trap 'echo INT > {}; exit' INT; touch {}; while :; do sleep 0.01; done",
        witness.display(),
        ready.display()
    );
    let child = Owner::start("SIGINT", &script, &ready).kill();
    eventually("the child is gone", || !runs(child));
    assert_eq!(std::fs::read_to_string(witness).unwrap(), "INT\n");
}

#[test]
#[cfg(target_os = "linux")]
fn a_child_that_hears_nothing_dies_with_its_owner_too() {
    let dir = tempfile::tempdir().unwrap();
    let ready = dir.path().join("ready");
    let script = format!("trap '' INT TERM HUP; touch {}; exec sleep 1000", ready.display());
    let child = Owner::start("SIGKILL", &script, &ready).kill();
    eventually("the child is gone", || !runs(child));
}
