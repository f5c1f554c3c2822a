//! `cargo xtask test`: every test, on a machine that has only what `up` needs.

use std::ffi::OsString;
use std::process::{ExitCode, ExitStatus};

use omni_dataplane::Options;
use omni_supervise::{Spec, Supervisor};

use crate::cargo::{self, Workspace};
use crate::plane::Borrowed;
use crate::stopping::{StopRequests, exit_code, interrupted};

/// Where the tests find their servers: `OMNI_TEST_DATABASE_URL`, `OMNI_TEST_NATS_URL`.
pub(crate) const PREFIX: &str = "OMNI_TEST";

pub(crate) async fn run(args: Vec<OsString>) -> anyhow::Result<ExitCode> {
    let mut requests = StopRequests::listen()?;
    let workspace = Workspace::load()?;
    let supervisor = Supervisor::start_with_this_program()?;
    let starting = Borrowed::start(PREFIX, Options::for_tests, workspace.root(), &supervisor);
    let plane = tokio::select! {
        plane = starting => plane?,
        () = requests.next() => return Ok(interrupted()),
    };
    let outcome = run_all(args, &workspace, &plane, &supervisor, &mut requests).await;
    plane.stop().await?;
    Ok(outcome?.map_or_else(interrupted, exit_code))
}

/// Runs one command after the other until one fails; `None` if we were asked to stop.
async fn run_all(
    args: Vec<OsString>,
    workspace: &Workspace,
    plane: &Borrowed,
    supervisor: &Supervisor,
    requests: &mut StopRequests,
) -> anyhow::Result<Option<ExitStatus>> {
    let mut status = ExitStatus::default();
    for command in commands(args, workspace, cargo::knows("nextest")) {
        let child = supervisor.spawn(plane.variables(PREFIX).into_iter().fold(command, with_variable)).await?;
        let ended = tokio::select! {
            ended = requests.wait_or_stop(&child) => ended?,
            error = plane.ended() => return Err(error.into()),
        };
        match ended {
            Some(this) if this.success() => status = this,
            failed_or_stopped => return Ok(failed_or_stopped),
        }
    }
    Ok(Some(status))
}

/// nextest, where it is installed, runs every test in a process of its own and leaves out the documentation's.
fn commands(args: Vec<OsString>, workspace: &Workspace, nextest: bool) -> Vec<Spec> {
    let chosen = !args.is_empty();
    let selection = if chosen { args } else { vec![OsString::from("--workspace")] };
    if !nextest {
        return vec![cargo::run(["test"]).args(selection)];
    }
    let mut commands = vec![cargo::run(["nextest", "run"]).args(selection)];
    let documented: Vec<_> = workspace.with_doctests().flat_map(|package| ["--package", package]).collect();
    if !chosen && !documented.is_empty() {
        commands.push(cargo::run(["test", "--doc"]).args(documented));
    }
    commands
}

fn with_variable(command: Spec, (name, value): (String, String)) -> Spec {
    command.env(name, value)
}
