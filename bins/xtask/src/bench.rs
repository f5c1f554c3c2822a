//! `cargo xtask bench`: the benchmark program in release mode, with servers that nobody else uses.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use omni_dataplane::{Installation, Options};
use omni_supervise::Supervisor;

use crate::cargo::{self, Workspace};
use crate::machine;
use crate::plane::Borrowed;
use crate::stopping::{StopRequests, exit_code, interrupted};

/// Where the benchmarks find their servers: `OMNI_BENCH_DATABASE_URL`, `OMNI_BENCH_NATS_URL`.
const PREFIX: &str = "OMNI_BENCH";

pub(crate) async fn run(args: Vec<OsString>) -> anyhow::Result<ExitCode> {
    let mut requests = StopRequests::listen()?;
    let workspace = Workspace::load()?;
    let supervisor = Supervisor::start_with_this_program()?;
    let starting = Borrowed::start(PREFIX, Options::for_benchmarks, workspace.root(), &supervisor);
    let plane = tokio::select! {
        plane = starting => plane?,
        () = requests.next() => return Ok(interrupted()),
    };

    let mut bench = cargo::run(["run", "--release", "--package", "omni-bench", "--"])
        .args(args)
        .env("PATH", path_with(plane.installation.as_ref().and_then(Installation::client_programs))?);
    for (name, value) in plane.variables(PREFIX) {
        bench = bench.env(name, value);
    }
    let child = supervisor.spawn(bench).await?;
    let ended = tokio::select! {
        ended = requests.wait_or_stop(&child) => ended,
        error = plane.ended() => Err(error.into()),
    };
    plane.stop().await?;
    Ok(ended?.map_or_else(interrupted, exit_code))
}

/// Our `PATH`, with the bundle's `pgbench` and `psql` before the system's.
fn path_with(programs: Option<PathBuf>) -> anyhow::Result<OsString> {
    let path = machine::variable("PATH").unwrap_or_default();
    Ok(std::env::join_paths(programs.into_iter().chain(std::env::split_paths(&path)))?)
}
