use std::path::{Path, PathBuf};

use omni_supervise::Signal;

use crate::Places;

/// What a data plane is for, which decides how careful and how large it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// Every commit reaches the disk; 100 connections.
    Durable,
    /// Nothing has to survive a crash (no fsync); 200 connections, for many tests at once.
    ThrowAway,
}

impl Profile {
    /// How PostgreSQL is asked to stop: in order (its fast shutdown), or, when nobody will ever open the directory again,
    /// at once (its immediate one).
    pub(crate) fn postgres_shutdown(self) -> Signal {
        match self {
            Self::Durable => Signal::SIGINT,
            Self::ThrowAway => Signal::SIGQUIT,
        }
    }
}

/// Which servers to start, and where.
#[derive(Debug, Clone)]
pub struct Options {
    pub(crate) home: Home,
    pub(crate) places: Places,
    pub(crate) profile: Profile,
    pub(crate) postgres: bool,
    pub(crate) nats: bool,
}

/// Where the data is.
#[derive(Debug, Clone)]
pub(crate) enum Home {
    /// In a directory that stays.
    Kept(PathBuf),
    /// In a directory that goes when the data plane stops.
    Scratch,
}

impl Options {
    /// Both servers with their data in `<data_dir>/pg` and `<data_dir>/nats` and their logs in `logs` beside it.
    pub fn new(data_dir: impl Into<PathBuf>, places: Places) -> Self {
        Self::with(Home::Kept(data_dir.into()), places, Profile::Durable)
    }

    /// Both servers in a temporary directory that is removed when they stop, fast and forgetful.
    pub fn for_tests(places: Places) -> Self {
        Self::with(Home::Scratch, places, Profile::ThrowAway)
    }

    /// Both servers in a temporary directory that is removed when they stop, as careful as the real ones.
    pub fn for_benchmarks(places: Places) -> Self {
        Self::with(Home::Scratch, places, Profile::Durable)
    }

    fn with(home: Home, places: Places, profile: Profile) -> Self {
        Self { home, places, profile, postgres: true, nats: true }
    }

    /// Leaves PostgreSQL out, because `DATABASE_URL` names one.
    #[must_use]
    pub fn without_postgres(mut self) -> Self {
        self.postgres = false;
        self
    }

    /// Leaves NATS out, because `NATS_URL` names one.
    #[must_use]
    pub fn without_nats(mut self) -> Self {
        self.nats = false;
        self
    }
}

/// The directories of one data plane, absolute.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    pub(crate) data: PathBuf,
    pub(crate) logs: PathBuf,
}

impl Layout {
    /// `data` must be absolute; the logs are beside it.
    pub(crate) fn beside(data: PathBuf) -> Self {
        let logs = data.parent().unwrap_or(Path::new("/")).join("logs");
        Self { data, logs }
    }

    /// Everything below one directory that goes as a whole.
    pub(crate) fn within(scratch: &Path) -> Self {
        Self { data: scratch.join("data"), logs: scratch.join("logs") }
    }
}
