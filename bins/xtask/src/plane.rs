//! A PostgreSQL and a NATS for one run of tests or benchmarks.

use std::path::Path;

use anyhow::Context;
use omni_dataplane::{DataPlane, Installation, Options, Places};
use omni_supervise::Supervisor;
use secrecy::{ExposeSecret, SecretString};

use crate::machine::{self, SystemEntropy};

/// Addresses that somebody gave, and our own servers for those that nobody did.
pub(crate) struct Borrowed {
    pub(crate) database_url: String,
    pub(crate) nats_url: SecretString,
    pub(crate) installation: Option<Installation>,
    own: Option<DataPlane>,
}

impl Borrowed {
    /// Uses the servers that the variables `<prefix>_DATABASE_URL` and `<prefix>_NATS_URL` name, and starts the rest.
    pub(crate) async fn start(
        prefix: &str,
        options: impl FnOnce(Places) -> Options,
        root: &Path,
        supervisor: &Supervisor,
    ) -> anyhow::Result<Self> {
        let database = machine::text_variable(&database_variable(prefix))?;
        let nats = machine::text_variable(&nats_variable(prefix))?.map(SecretString::from);
        if let (Some(database_url), Some(nats_url)) = (&database, &nats) {
            let (database_url, nats_url) = (database_url.clone(), nats_url.clone());
            return Ok(Self { database_url, nats_url, installation: None, own: None });
        }

        let places = machine::places(&root.join("data"));
        let installation = Installation::ensure(&places, supervisor, &machine::report).await?;
        let mut options = options(places);
        if database.is_some() {
            options = options.without_postgres();
        }
        if nats.is_some() {
            options = options.without_nats();
        }
        let own = DataPlane::start(options, supervisor, &SystemEntropy).await?;
        machine::report(&own.to_string());
        Ok(Self {
            database_url: database
                .or_else(|| own.database_url().map(str::to_owned))
                .context("PostgreSQL was started")?,
            nats_url: nats.or_else(|| own.nats_url().cloned()).context("NATS was started")?,
            installation: Some(installation),
            own: Some(own),
        })
    }

    /// The variables that tell a child where the servers are.
    pub(crate) fn variables(&self, prefix: &str) -> [(String, String); 2] {
        [
            (database_variable(prefix), self.database_url.clone()),
            (nats_variable(prefix), self.nats_url.expose_secret().to_owned()),
        ]
    }

    /// Resolves when a server of ours ends by itself.
    pub(crate) async fn ended(&self) -> omni_dataplane::Error {
        match &self.own {
            Some(own) => own.ended().await,
            None => std::future::pending().await,
        }
    }

    pub(crate) async fn stop(self) -> anyhow::Result<()> {
        match self.own {
            Some(own) => Ok(own.stop().await?),
            None => Ok(()),
        }
    }
}

fn database_variable(prefix: &str) -> String {
    format!("{prefix}_DATABASE_URL")
}

fn nats_variable(prefix: &str) -> String {
    format!("{prefix}_NATS_URL")
}
