//! `cargo xtask up`: everything, from nothing, in one terminal.

mod announcement;
mod settings;

use std::process::{ExitCode, ExitStatus};
use std::time::{Duration, Instant};

use anyhow::{bail, ensure};
use clap::Args;
use omni_dataplane::Installation;
use omni_supervise::{Child, Output, Signal, Spec, Supervisor};
use tokio::time::timeout;

use crate::cargo::{self, Workspace};
use crate::stopping::{StopRequests, exit_code, interrupted};
use crate::{machine, probe};
use announcement::Announcement;
use settings::Settings;

/// From the start of `omni-api` to its first 200: a new data directory, recovery, migrations.
const LONGEST_START: Duration = Duration::from_secs(180);
/// Requests that are being answered, then PostgreSQL's shutdown.
const LONGEST_STOP: Duration = Duration::from_secs(60);

const API: &str = "omni-api";
const GATEWAY: &str = "gateway";

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Build without optimisation: compiles faster, runs slower.
    #[arg(long, conflicts_with = "release")]
    dev: bool,
    /// Build with optimisation, which is the default.
    #[arg(long)]
    release: bool,
}

pub(crate) async fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let mut requests = StopRequests::listen()?;
    let workspace = Workspace::load()?;
    let settings = Settings::read(workspace.root())?;
    let supervisor = Supervisor::start_with_this_program()?;
    let up = Up { workspace, settings, supervisor, profile: if arguments.dev { "dev" } else { "release" } };

    tokio::select! {
        provided = up.provide_data_plane() => provided?,
        () = requests.next() => return Ok(interrupted()),
    }
    let build = up.supervisor.spawn(up.build()).await?;
    match requests.wait_or_stop(&build).await? {
        Some(status) if !status.success() => return Ok(exit_code(status)),
        Some(_) => {}
        None => return Ok(interrupted()),
    }
    up.serve(&mut requests).await
}

struct Up {
    workspace: Workspace,
    settings: Settings,
    supervisor: Supervisor,
    profile: &'static str,
}

impl Up {
    /// Sees to it that `omni-api` will find the programs of the data plane, unless it is told to use another.
    async fn provide_data_plane(&self) -> anyhow::Result<()> {
        if self.settings.needs_data_plane() {
            let places = machine::places(&self.settings.data_dir);
            Installation::ensure(&places, &self.supervisor, &machine::report).await?;
        }
        Ok(())
    }

    fn build(&self) -> Spec {
        cargo::run(["build", "--profile", self.profile, "--package", API, "--package", GATEWAY])
            .cwd(self.workspace.root())
    }

    async fn serve(&self, requests: &mut StopRequests) -> anyhow::Result<ExitCode> {
        for address in [self.settings.http, self.settings.control] {
            ensure!(!probe::is_taken(address).await, "something listens on {address} already");
        }
        let begun = Instant::now();
        let api = self.supervisor.spawn(self.program(API)).await?;
        let outcome = self.run_beside(&api, begun, requests).await;
        // Also after an error: it may have a data plane to shut down.
        requests.stop(&api, Signal::SIGTERM, LONGEST_STOP).await?;
        outcome
    }

    /// Everything from the start of `omni-api` to the moment when it should stop.
    async fn run_beside(&self, api: &Child, begun: Instant, requests: &mut StopRequests) -> anyhow::Result<ExitCode> {
        tokio::select! {
            ready = self.until_ready() => ready?,
            status = api.wait() => return Ok(ended(api, status?)),
            () = requests.next() => return Ok(ExitCode::SUCCESS),
        }
        let ready_in = begun.elapsed();
        let gateway = self.supervisor.spawn(self.program(GATEWAY)).await?;
        Announcement { settings: &self.settings, ready_in }.print();

        let code = tokio::select! {
            status = api.wait() => ended(api, status?),
            status = gateway.wait() => ended(&gateway, status?),
            () = requests.next() => ExitCode::SUCCESS,
        };
        // Before the API: its channels say goodbye through that.
        requests.stop(&gateway, Signal::SIGTERM, LONGEST_STOP).await?;
        Ok(code)
    }

    async fn until_ready(&self) -> anyhow::Result<()> {
        let ready = timeout(LONGEST_START, probe::until_ok(self.settings.http, "/readyz")).await;
        let Ok(()) = ready else {
            bail!("{API} has not become ready within {} s; its log above says why", LONGEST_START.as_secs())
        };
        Ok(())
    }

    /// One of our programs, which is asked to stop when we are gone, however we went.
    fn program(&self, name: &'static str) -> Spec {
        let directory = if self.profile == "dev" { "debug" } else { self.profile };
        let path = self.workspace.target_dir().join(directory).join(name);
        let program = Spec::new(name, path)
            .inherit_env()
            .cwd(self.workspace.root())
            .death_signal(Signal::SIGTERM)
            .output(Output::Inherit);
        self.settings.variables().fold(program, |program, (name, value)| program.env(name, value))
    }
}

fn ended(child: &Child, status: ExitStatus) -> ExitCode {
    machine::report(&format!("{} ended with {status}", child.name()));
    exit_code(status)
}
