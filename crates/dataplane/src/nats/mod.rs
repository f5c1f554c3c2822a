//! A private nats-server with JetStream, from an empty directory to a connection that is let in.

mod handshake;

use std::ffi::OsString;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use omni_supervise::{Child, LogFile, Output, Signal, Spec, Supervisor};
use secrecy::{ExposeSecret, SecretString};

use crate::account::Account;
use crate::error::Server;
use crate::installation::NatsProgram;
use crate::options::{Layout, Profile};
use crate::patience::ask_until;
use crate::{Error, residents};

/// Below the data directory of the data plane.
const DIRECTORY: &str = "nats";
const USER: &str = "omni";
/// A server with large streams reads their state before it answers.
const LONGEST_START: Duration = Duration::from_secs(60);
const LONGEST_STOP: Duration = Duration::from_secs(15);

/// A running nats-server.
#[derive(Debug)]
pub(crate) struct Nats {
    child: Child,
    url: SecretString,
    log: PathBuf,
    took: Duration,
}

/// Everything that was decided before anything is started.
pub(crate) struct Plan<'a> {
    pub(crate) supervisor: &'a Supervisor,
    pub(crate) layout: &'a Layout,
    pub(crate) profile: Profile,
    pub(crate) program: NatsProgram,
    pub(crate) account: Account,
    pub(crate) password: SecretString,
}

/// The account of the server's directory below `data_dir`, or the one that a new directory will have.
pub(crate) fn account(data_dir: &Path) -> Result<Account, Error> {
    Account::for_directory(&data_dir.join(DIRECTORY))
}

impl Nats {
    pub(crate) async fn start(plan: Plan<'_>) -> Result<Self, Error> {
        let begun = Instant::now();
        let directory = plan.layout.data.join(DIRECTORY);
        plan.account.claim(&directory)?;
        residents::wait_until_gone(&directory).await?;
        remove_ports_files(&directory)?;
        plan.account.write_file(&directory, "nats.conf", &settings(plan.profile, &plan.password))?;

        let log = plan.layout.logs.join("nats.log");
        // Every path in the settings is relative: the server stands in its directory, and may not be able to name it.
        let server = Spec::new("nats-server", &plan.program.path)
            .args(["--config", "nats.conf"])
            .cwd(&directory)
            .identity(plan.account.identity())
            .death_signal(Signal::SIGTERM)
            .output(Output::File(LogFile::new(&log)));
        let child = plan.supervisor.spawn(server).await?;

        let mut starting = Self { child, url: SecretString::default(), log, took: Duration::ZERO };
        let ports_file = directory.join(ports_file_name(&plan.program.path, starting.child.pid()));
        let address = starting.wait_until_ready(&ports_file, &plan.password).await?;
        starting.url = format!("nats://{USER}:{}@{address}", plan.password.expose_secret()).into();
        starting.took = begun.elapsed();
        Ok(starting)
    }

    pub(crate) fn url(&self) -> &SecretString {
        &self.url
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.pid()
    }

    /// From the first step to the first answer.
    pub(crate) fn took(&self) -> Duration {
        self.took
    }

    /// Resolves when the server ends by itself.
    pub(crate) async fn ended(&self) -> Error {
        match self.child.wait().await {
            Ok(status) => Error::ended(Server::Nats, &self.child, status, &self.log),
            Err(error) => error.into(),
        }
    }

    pub(crate) async fn stop(self) -> Result<(), Error> {
        self.child.stop(Signal::SIGTERM, LONGEST_STOP).await?;
        Ok(())
    }

    async fn wait_until_ready(&self, ports_file: &Path, password: &SecretString) -> Result<SocketAddr, Error> {
        let answers = ask_until(LONGEST_START, async || {
            let address = read_address(ports_file).ok_or_else(|| "it has not said where it listens".to_owned())?;
            handshake::greet(address, USER, password).await.map_err(|error| error.to_string())?;
            Ok(address)
        });
        tokio::select! {
            answer = answers => answer.map_err(|reason| Error::NotReady {
                server: Server::Nats,
                waited: LONGEST_START,
                reason,
            }),
            ended = self.ended() => Err(ended),
        }
    }
}

fn settings(profile: Profile, password: &SecretString) -> String {
    let max_file_store = match profile {
        Profile::Durable => "8GB",
        Profile::ThrowAway => "512MB",
    };
    format!(
        "# Written at every start.\n\
         server_name: omni\n\
         listen: \"127.0.0.1:-1\"\n\
         ports_file_dir: \".\"\n\
         jetstream {{ store_dir: \".\", max_memory_store: 64MB, max_file_store: {max_file_store} }}\n\
         authorization {{ user: {USER}, password: \"{}\" }}\n",
        password.expose_secret()
    )
}

/// The server names the file after its program and its process id.
fn ports_file_name(program: &Path, pid: u32) -> OsString {
    let mut name = program.file_name().unwrap_or_default().to_owned();
    name.push(format!("_{pid}.ports"));
    name
}

/// A server that was killed leaves its file, and the process id may come back.
fn remove_ports_files(directory: &Path) -> Result<(), Error> {
    for entry in fs::read_dir(directory).map_err(Error::io("list", directory))?.flatten() {
        if entry.path().extension().is_some_and(|extension| extension == "ports") {
            fs::remove_file(entry.path()).map_err(Error::io("remove", entry.path()))?;
        }
    }
    Ok(())
}

/// `{"nats":["nats://127.0.0.1:40517"]}`, once it is written in full.
fn read_address(ports_file: &Path) -> Option<SocketAddr> {
    let ports: serde_json::Value = serde_json::from_slice(&fs::read(ports_file).ok()?).ok()?;
    ports.pointer("/nats/0")?.as_str()?.strip_prefix("nats://")?.parse().ok()
}
