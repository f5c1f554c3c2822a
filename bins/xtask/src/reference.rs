//! `cargo xtask gen`: the pages that are made from the code. A test of `omni-api` fails when they are stale.

use std::process::ExitCode;

use omni_supervise::Supervisor;

use crate::cargo::{self, Workspace};
use crate::stopping::{StopRequests, exit_code, interrupted};

pub(crate) async fn run() -> anyhow::Result<ExitCode> {
    let mut requests = StopRequests::listen()?;
    let workspace = Workspace::load()?;
    let supervisor = Supervisor::start_with_this_program()?;
    let writing = cargo::run(["run", "--quiet", "--package", "omni-api", "--", "reference"]).arg(workspace.root());
    let child = supervisor.spawn(writing).await?;
    Ok(requests.wait_or_stop(&child).await?.map_or_else(interrupted, exit_code))
}
