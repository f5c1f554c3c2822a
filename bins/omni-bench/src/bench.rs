use std::path::PathBuf;

use omni_supervise::Supervisor;
use tempfile::TempDir;

use crate::arguments::Arguments;
use crate::database::Database;
use crate::programs::Programs;
use crate::report::say;

/// What every measurement works with.
pub(crate) struct Bench {
    pub(crate) programs: Programs,
    pub(crate) database: Database,
    pub(crate) nats_url: String,
    pub(crate) supervisor: Supervisor,
    pub(crate) quick: bool,
    folder: TempDir,
}

impl Bench {
    pub(crate) async fn prepare(arguments: &Arguments) -> anyhow::Result<Self> {
        let programs = Programs::find(arguments.api.as_deref()).await?;
        let database = Database::create(&arguments.database_url).await?;
        say(&format!("omni-api: {}", programs.api.display()));
        say(&format!("PostgreSQL {}, {} processors", database.version(), processors()));
        Ok(Self {
            programs,
            database,
            nats_url: arguments.nats_url.clone(),
            supervisor: Supervisor::start_with_this_program()?,
            quick: arguments.quick,
            folder: tempfile::Builder::new().prefix("omni-bench-").tempdir()?,
        })
    }

    /// A place for files that go with the run.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// How often something is done: the second number in a short run.
    pub(crate) fn rounds(&self, thorough: usize, quick: usize) -> usize {
        if self.quick { quick } else { thorough }
    }

    pub(crate) async fn clear(self) -> anyhow::Result<()> {
        self.database.remove().await
    }
}

pub(crate) fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, Into::into)
}
