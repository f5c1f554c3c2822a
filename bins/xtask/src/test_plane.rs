//! `cargo xtask test-plane`: servers for tests that were not started by `cargo xtask test`.
//!
//! A test that finds no `OMNI_TEST_DATABASE_URL` starts this with the id of its test runner, reads one line of JSON
//! (`{"database_url": …, "nats_url": …}`), and leaves it alone. The first such test of a runner gets the servers started,
//! every other one gets the same line from them; they stop when the runner ends.

use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::Args;
use omni_dataplane::Options;
use omni_supervise::Supervisor;
use secrecy::ExposeSecret;
use tokio::time::{Instant, sleep};

use crate::cargo::Workspace;
use crate::parent::Watched;
use crate::plane::Borrowed;
use crate::stopping::StopRequests;
use crate::test::PREFIX;

/// How long the first caller may take: it may have to fetch the bundle.
const LONGEST_START: Duration = Duration::from_secs(20 * 60);
const PAUSE: Duration = Duration::from_millis(20);

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The process id of the test runner.
    #[arg(long, value_name = "PID")]
    until_parent_exits: u32,
}

pub(crate) async fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let runner = arguments.until_parent_exits;
    let watched = Watched::find(runner).with_context(|| format!("there is no process {runner}"))?;
    let workspace = Workspace::load()?;
    let desk = Desk::at(workspace.target_dir(), runner)?;
    let Some(_alone) = desk.take()? else {
        say(&desk.read_line().await?)?;
        return Ok(ExitCode::SUCCESS);
    };
    // A runner signals the group of a test that takes too long; the servers are there for the others too. A caller that
    // has made us the leader of a group already has seen to it, and then this fails.
    let _ = nix::unistd::setsid();
    serve(&watched, &workspace, &desk).await
}

async fn serve(watched: &Watched, workspace: &Workspace, desk: &Desk) -> anyhow::Result<ExitCode> {
    let mut requests = StopRequests::listen()?;
    let supervisor = Supervisor::start_with_this_program()?;
    let plane = tokio::select! {
        plane = Borrowed::start(PREFIX, Options::for_tests, workspace.root(), &supervisor) => plane?,
        () = watched.ended() => return Ok(ExitCode::SUCCESS),
        () = requests.next() => return Ok(ExitCode::SUCCESS),
    };
    let (database_url, nats_url) = (&plane.database_url, plane.nats_url.expose_secret());
    let line = serde_json::json!({ "database_url": database_url, "nats_url": nats_url }).to_string();
    desk.put(&line)?;
    // Whoever asked may have ended since; the others have not.
    let _ = say(&line);
    let outcome = tokio::select! {
        () = watched.ended() => Ok(ExitCode::SUCCESS),
        () = requests.next() => Ok(ExitCode::SUCCESS),
        error = plane.ended() => Err(error.into()),
    };
    desk.close();
    plane.stop().await?;
    outcome
}

fn say(line: &str) -> io::Result<()> {
    writeln!(io::stdout(), "{line}")
}

/// Where the callers of one runner meet: a lock that the serving one holds, and the line that it says.
struct Desk {
    lock: PathBuf,
    line: PathBuf,
}

impl Desk {
    fn at(target_dir: &Path, runner: u32) -> anyhow::Result<Self> {
        let directory = target_dir.join("test-plane");
        fs::create_dir_all(&directory).with_context(|| format!("cannot create {}", directory.display()))?;
        Ok(Self { lock: directory.join(format!("{runner}.lock")), line: directory.join(format!("{runner}.json")) })
    }

    /// The right to serve, or `None` if somebody does.
    fn take(&self) -> anyhow::Result<Option<File>> {
        let lock = File::options().write(true).create(true).truncate(false).open(&self.lock)?;
        match lock.try_lock() {
            Ok(()) => {
                // Left by one that was killed.
                self.clear();
                Ok(Some(lock))
            }
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error).context("cannot lock"),
        }
    }

    /// Puts the line there whole.
    fn put(&self, line: &str) -> anyhow::Result<()> {
        let unfinished = self.line.with_extension("new");
        fs::write(&unfinished, line)?;
        Ok(fs::rename(unfinished, &self.line)?)
    }

    fn clear(&self) {
        // It need not be there.
        let _ = fs::remove_file(&self.line);
    }

    /// Leaves nothing behind; the runner is gone, so nobody comes any more.
    fn close(&self) {
        self.clear();
        let _ = fs::remove_file(&self.lock);
    }

    /// The line of the one that serves, once it does.
    async fn read_line(&self) -> anyhow::Result<String> {
        let deadline = Instant::now() + LONGEST_START;
        loop {
            if let Ok(line) = fs::read_to_string(&self.line) {
                return Ok(line);
            }
            if self.take()?.is_some() || Instant::now() > deadline {
                bail!("the servers for these tests could not be started");
            }
            sleep(PAUSE).await;
        }
    }
}
