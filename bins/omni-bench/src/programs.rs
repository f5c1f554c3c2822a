//! The programs that are measured: built in release by the cargo that runs us, found where cargo says that they are.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use serde_json::Value;
use tokio::process::Command;

#[derive(Debug)]
pub(crate) struct Programs {
    pub(crate) api: PathBuf,
    pub(crate) model: PathBuf,
}

impl Programs {
    /// Builds what is not given.
    pub(crate) async fn find(api: Option<&Path>) -> anyhow::Result<Self> {
        let model = build("omni-scripted-model", "scripted-model").await?;
        let api = match api {
            Some(api) => std::path::absolute(api)?,
            None => build("omni-api", "omni-api").await?,
        };
        Ok(Self { api, model })
    }
}

async fn build(package: &str, program: &str) -> anyhow::Result<PathBuf> {
    let output = Command::new(cargo())
        .args(["build", "--release", "--package", package, "--bin", program])
        .args(["--message-format", "json-render-diagnostics"])
        .stderr(std::process::Stdio::inherit())
        .output()
        .await
        .context("cannot run cargo")?;
    ensure!(output.status.success(), "{package} cannot be built");
    let messages = output.stdout.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok());
    let executable = |message: Value| Some(PathBuf::from(message.get("executable")?.as_str()?));
    messages.filter_map(executable).next_back().with_context(|| format!("cargo does not say where {program} is"))
}

#[expect(clippy::disallowed_methods, reason = "cargo says through the environment which one it is")]
fn cargo() -> OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}
