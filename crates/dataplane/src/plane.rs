use std::fmt;
use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use omni_domain::Entropy;
use omni_supervise::Supervisor;
use secrecy::SecretString;
use tempfile::TempDir;

use crate::account::Account;
use crate::error::Server;
use crate::installation::Existing;
use crate::lock::OwnerLock;
use crate::nats::{self, Nats};
use crate::options::{Home, Layout};
use crate::postgres::{self, Postgres, SocketDir};
use crate::{Error, Installation, Options, scratch};

/// Bytes of randomness in the password of NATS.
const PASSWORD_BYTES: usize = 24;

/// The running servers. They live as long as this does: [`stop`](Self::stop) them for a clean end; when the handle is
/// dropped or its owner dies they shut down by themselves.
#[derive(Debug)]
pub struct DataPlane {
    // In the order in which they are dropped: the servers get their signals, then the directory and the lock go.
    postgres: Option<Postgres>,
    nats: Option<Nats>,
    data_dir: PathBuf,
    _scratch: Option<TempDir>,
    _lock: OwnerLock,
}

/// One running server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Running {
    /// Which one.
    pub server: Server,
    /// Its process id.
    pub pid: u32,
    /// How long it took to its first answer.
    pub took: Duration,
}

impl DataPlane {
    /// Starts what `options` ask for, both servers at once, and returns when they answer. Nothing is fetched; see
    /// [`Installation::ensure`].
    ///
    /// A new data directory is made ready on the way: the cluster, the database `omni` and its superuser of that name.
    ///
    /// # Errors
    /// Any [`Error`]; what had been started by then is stopped again.
    pub async fn start(options: Options, supervisor: &Supervisor, entropy: &dyn Entropy) -> Result<Self, Error> {
        let (layout, scratch) = lay_out(&options)?;
        let mut lock = OwnerLock::acquire(&layout.data)?;
        let installation = Installation::find(&options.places);
        let start = Start { supervisor, layout: &layout, options: &options, installation: &installation };
        let postgres = start.postgres(&mut lock)?;
        let nats = start.nats(entropy)?;

        let (postgres, nats) = tokio::join!(
            async {
                Ok(match postgres {
                    Some(plan) => Some(Postgres::start(plan).await?),
                    None => None,
                })
            },
            async {
                Ok(match nats {
                    Some(plan) => Some(Nats::start(plan).await?),
                    None => None,
                })
            },
        );
        let started = |postgres, nats| Self { postgres, nats, data_dir: layout.data, _scratch: scratch, _lock: lock };
        match (postgres, nats) {
            (Ok(postgres), Ok(nats)) => Ok(started(postgres, nats)),
            (Err(error), Ok(nats)) => started(None, nats).give_up(error).await,
            (Ok(postgres), Err(error)) => started(postgres, None).give_up(error).await,
            (Err(error), Err(also)) => {
                tracing::error!(error = %also, "NATS has not started either");
                Err(error)
            }
        }
    }

    /// A superuser's connection to the database `omni`, in the form that tokio-postgres and psql read; `None` if
    /// PostgreSQL was left out. There is no password in it: the kernel vouches for the owner.
    #[must_use]
    pub fn database_url(&self) -> Option<&str> {
        self.postgres.as_ref().map(Postgres::url)
    }

    /// Where NATS listens, with the password; `None` if it was left out.
    #[must_use]
    pub fn nats_url(&self) -> Option<&SecretString> {
        self.nats.as_ref().map(Nats::url)
    }

    /// The data directory, absolute.
    #[must_use]
    pub fn data_dir(&self) -> &Path {
        &self.data_dir
    }

    /// The servers that were started.
    pub fn running(&self) -> impl Iterator<Item = Running> {
        let postgres =
            self.postgres.as_ref().map(|it| Running { server: Server::Postgres, pid: it.pid(), took: it.took() });
        let nats = self.nats.as_ref().map(|it| Running { server: Server::Nats, pid: it.pid(), took: it.took() });
        postgres.into_iter().chain(nats)
    }

    /// Resolves, with the reason, when one of the servers ends by itself. The owner then has nothing left to work with.
    pub async fn ended(&self) -> Error {
        async fn of<T>(server: Option<&T>, ended: impl AsyncFnOnce(&T) -> Error) -> Error {
            match server {
                Some(server) => ended(server).await,
                None => std::future::pending().await,
            }
        }
        tokio::select! {
            error = of(self.postgres.as_ref(), Postgres::ended) => error,
            error = of(self.nats.as_ref(), Nats::ended) => error,
        }
    }

    /// Shuts both servers down and waits for them; one that does not end in time is killed. PostgreSQL has half a
    /// minute, NATS a quarter.
    ///
    /// # Errors
    /// [`Error::Supervise`] if the runtime shuts down first.
    pub async fn stop(self) -> Result<(), Error> {
        let (postgres, nats) = tokio::join!(
            async {
                match self.postgres {
                    Some(server) => server.stop().await,
                    None => Ok(()),
                }
            },
            async {
                match self.nats {
                    Some(server) => server.stop().await,
                    None => Ok(()),
                }
            },
        );
        postgres.and(nats)
    }

    async fn give_up(self, error: Error) -> Result<Self, Error> {
        if let Err(also) = self.stop().await {
            tracing::error!(error = %also, "the other server has not stopped cleanly");
        }
        Err(error)
    }
}

/// What was started and how long it took, for a person.
impl fmt::Display for DataPlane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, Running { server, pid, took }) in self.running().enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            write!(f, "{separator}{server} (process {pid}, ready in {} ms)", took.as_millis())?;
        }
        Ok(())
    }
}

/// What both servers are planned from.
struct Start<'a> {
    supervisor: &'a Supervisor,
    layout: &'a Layout,
    options: &'a Options,
    installation: &'a Installation,
}

impl<'a> Start<'a> {
    fn postgres(&self, lock: &mut OwnerLock) -> Result<Option<postgres::Plan<'a>>, Error> {
        if !self.options.postgres {
            return Ok(None);
        }
        let data = &self.layout.data;
        let existing = postgres::existing_major(data)?.map(|major| Existing { path: data, major });
        let programs = self.installation.postgres(existing)?;
        let account = postgres::account(data)?;
        must_reach(&account, &programs.bin)?;
        let socket = SocketDir::prepare(data, &account, &self.options.places, lock)?;
        let Self { supervisor, layout, options: Options { profile, .. }, .. } = *self;
        Ok(Some(postgres::Plan { supervisor, layout, profile: *profile, programs, account, socket }))
    }

    fn nats(&self, entropy: &dyn Entropy) -> Result<Option<nats::Plan<'a>>, Error> {
        if !self.options.nats {
            return Ok(None);
        }
        let program = self.installation.nats()?;
        let account = nats::account(&self.layout.data)?;
        must_reach(&account, &program.path)?;
        let Self { supervisor, layout, options: Options { profile, .. }, .. } = *self;
        Ok(Some(nats::Plan { supervisor, layout, profile: *profile, program, account, password: password(entropy) }))
    }
}

fn lay_out(options: &Options) -> Result<(Layout, Option<TempDir>), Error> {
    let (layout, scratch) = match &options.home {
        Home::Kept(directory) => {
            let data = std::path::absolute(directory).map_err(Error::io("find", directory))?;
            (Layout::beside(data), None)
        }
        Home::Scratch => {
            let scratch = scratch::make(&options.places.temp)?;
            (Layout::within(scratch.path()), Some(scratch))
        }
    };
    // Whoever the servers run as may pass the data directory; what is in it closes itself.
    make_directory(&layout.data, 0o711)?;
    make_directory(&layout.logs, 0o755)?;
    Ok((layout, scratch))
}

fn make_directory(path: &Path, mode: u32) -> Result<(), Error> {
    DirBuilder::new().recursive(true).mode(mode).create(path).map_err(Error::io("create", path))
}

fn must_reach(account: &Account, program: &Path) -> Result<(), Error> {
    if account.can_reach(program) {
        return Ok(());
    }
    let hint = "set OMNI_CACHE_DIR to a directory that everybody may pass, and fetch again";
    Err(Error::Unreachable { account: account.name().to_owned(), path: program.to_owned(), hint })
}

fn password(entropy: &dyn Entropy) -> SecretString {
    let mut bytes = [0; PASSWORD_BYTES];
    entropy.fill(&mut bytes);
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>().into()
}
