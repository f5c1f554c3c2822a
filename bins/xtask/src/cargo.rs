//! Cargo, and what it knows about the workspace.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};
use omni_supervise::{Output, Signal, Spec};
use serde::Deserialize;

use crate::machine;

/// What `cargo metadata` says.
#[derive(Debug, Deserialize)]
pub(crate) struct Workspace {
    packages: Vec<Package>,
    target_directory: PathBuf,
    workspace_root: PathBuf,
}

#[derive(Debug, Deserialize)]
struct Package {
    name: String,
    targets: Vec<Target>,
}

#[derive(Debug, Deserialize)]
struct Target {
    doctest: bool,
}

impl Workspace {
    pub(crate) fn load() -> anyhow::Result<Self> {
        let output = Command::new(program())
            .args(["metadata", "--no-deps", "--format-version", "1"])
            .output()
            .context("cannot run cargo")?;
        ensure!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr).trim());
        serde_json::from_slice(&output.stdout).context("cargo metadata says something unexpected")
    }

    /// The packages whose documentation is tested.
    pub(crate) fn with_doctests(&self) -> impl Iterator<Item = &str> {
        let tested = self.packages.iter().filter(|package| package.targets.iter().any(|target| target.doctest));
        tested.map(|package| package.name.as_str())
    }

    pub(crate) fn root(&self) -> &Path {
        &self.workspace_root
    }

    pub(crate) fn target_dir(&self) -> &Path {
        &self.target_directory
    }
}

/// A run of cargo with our environment, terminal, and, since it is in a session of its own, our word for stopping it.
pub(crate) fn run<A: Into<OsString>>(args: impl IntoIterator<Item = A>) -> Spec {
    let cargo = Spec::new("cargo", program()).args(args).inherit_env();
    machine::set_by_cargo().fold(cargo, Spec::env_remove).death_signal(Signal::SIGINT).output(Output::Inherit)
}

/// Whether `cargo <subcommand>` is installed.
pub(crate) fn knows(subcommand: &str) -> bool {
    let asked = Command::new(program()).args([subcommand, "--version"]).output();
    asked.is_ok_and(|answer| answer.status.success())
}

/// The cargo that runs us, so that one toolchain builds everything.
fn program() -> OsString {
    machine::variable("CARGO").unwrap_or_else(|| "cargo".into())
}
