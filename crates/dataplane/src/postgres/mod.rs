//! A private PostgreSQL, from an empty directory to a database that answers.

mod cluster;
mod settings;
mod socket;

use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use omni_supervise::{Child, LogFile, Output, Signal, Spec, Supervisor};
use percent_encoding::{NON_ALPHANUMERIC, percent_encode};
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Config, NoTls};

use crate::account::Account;
use crate::error::Server;
use crate::installation::PostgresPrograms;
use crate::options::{Layout, Profile};
use crate::patience::ask_until;
use crate::{Error, residents};

pub(crate) use cluster::{account, existing_major};
pub(crate) use socket::SocketDir;

/// The database, and the superuser that owns it.
const NAME: &str = "omni";
/// Recovery after a crash replays at most `max_wal_size`; this is far more.
const LONGEST_START: Duration = Duration::from_secs(120);
/// A fast shutdown writes one checkpoint.
const LONGEST_STOP: Duration = Duration::from_secs(30);
/// One attempt to connect.
const LONGEST_CONNECT: Duration = Duration::from_secs(5);

/// A running PostgreSQL.
#[derive(Debug)]
pub(crate) struct Postgres {
    child: Child,
    url: String,
    log: PathBuf,
    took: Duration,
    shutdown: Signal,
    _socket: SocketDir,
}

/// Everything that was decided before anything is started.
pub(crate) struct Plan<'a> {
    pub(crate) supervisor: &'a Supervisor,
    pub(crate) layout: &'a Layout,
    pub(crate) profile: Profile,
    pub(crate) programs: PostgresPrograms,
    pub(crate) account: Account,
    pub(crate) socket: SocketDir,
}

impl Plan<'_> {
    fn directory(&self) -> PathBuf {
        self.layout.data.join(cluster::DIRECTORY)
    }

    fn log_path(&self) -> PathBuf {
        self.layout.logs.join("postgres.log")
    }

    /// One of PostgreSQL's programs, in the right account, place and locale.
    fn program(&self, name: &str, directory: &Path) -> Spec {
        Spec::new(name, self.programs.bin.join(name))
            .env("LC_ALL", "C")
            .cwd(directory)
            .identity(self.account.identity())
            .death_signal(self.profile.postgres_shutdown())
            .output(Output::File(LogFile::new(self.log_path())))
    }
}

impl Postgres {
    pub(crate) async fn start(plan: Plan<'_>) -> Result<Self, Error> {
        let begun = Instant::now();
        let directory = plan.directory();
        residents::wait_until_gone(&directory).await?;
        cluster::prepare(&plan).await?;
        settings::write(&plan, &directory)?;

        let name = plan.account.own_name_of(&directory)?;
        let socket_setting = format!("unix_socket_directories={}", plan.socket.path().display());
        let server = plan.program("postgres", &directory).arg("-D").arg(name).args([
            "-c",
            "listen_addresses=",
            "-c",
            &socket_setting,
        ]);
        let child = plan.supervisor.spawn(server).await?;
        let server = Self {
            child,
            url: url(plan.socket.path()),
            log: plan.log_path(),
            took: Duration::ZERO,
            shutdown: plan.profile.postgres_shutdown(),
            _socket: plan.socket,
        };
        server.wait_until_ready().await?;
        Ok(Self { took: begun.elapsed(), ..server })
    }

    pub(crate) fn url(&self) -> &str {
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
            Ok(status) => Error::ended(Server::Postgres, &self.child, status, &self.log),
            Err(error) => error.into(),
        }
    }

    pub(crate) async fn stop(self) -> Result<(), Error> {
        self.child.stop(self.shutdown, LONGEST_STOP).await?;
        Ok(())
    }

    async fn wait_until_ready(&self) -> Result<(), Error> {
        let answers = ask_until(LONGEST_START, async || self.answer().await);
        tokio::select! {
            answer = answers => match answer {
                Ok(outcome) => outcome.map_err(|source| Error::Database { doing: "open the database", source }),
                Err(silence) => {
                    let reason = silence.to_string();
                    Err(Error::NotReady { server: Server::Postgres, waited: LONGEST_START, reason })
                }
            },
            ended = self.ended() => Err(ended),
        }
    }

    /// The server's answer, good or bad; `Err` while it has none.
    async fn answer(&self) -> Result<Result<(), tokio_postgres::Error>, tokio_postgres::Error> {
        match self.open_database().await {
            Err(error) if error.code().is_none_or(|code| *code == SqlState::CANNOT_CONNECT_NOW) => Err(error),
            answer => Ok(answer),
        }
    }

    /// Connects to our database, and makes it if it is not there yet.
    async fn open_database(&self) -> Result<(), tokio_postgres::Error> {
        match run(&self.url, NAME, "").await {
            Err(error) if error.code() == Some(&SqlState::INVALID_CATALOG_NAME) => {
                run(&self.url, "postgres", &format!("CREATE DATABASE {NAME}")).await
            }
            outcome => outcome,
        }
    }
}

/// How tokio-postgres, psql and pgbench all understand a socket: its directory, percent-encoded, as the host.
fn url(socket_dir: &Path) -> String {
    let host = percent_encode(socket_dir.as_os_str().as_bytes(), NON_ALPHANUMERIC);
    format!("postgresql://{NAME}@{host}/{NAME}")
}

/// Runs one statement in a connection of its own.
async fn run(url: &str, database: &str, statement: &str) -> Result<(), tokio_postgres::Error> {
    let mut config: Config = url.parse()?;
    let (client, connection) = config.dbname(database).connect_timeout(LONGEST_CONNECT).connect(NoTls).await?;
    let execute = async |client: Client| client.batch_execute(statement).await;
    let (outcome, closed) = tokio::join!(execute(client), connection);
    outcome.and(closed)
}
