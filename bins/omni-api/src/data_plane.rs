use omni_config::Config;
use omni_dataplane::{DataPlane, Options, Places};
use omni_supervise::Supervisor;
use secrecy::{ExposeSecret, SecretString};

use crate::OperatingSystem;

/// Where the data is: at the URLs that the configuration gives, or in servers of our own.
pub(crate) struct Data {
    /// PostgreSQL.
    pub(crate) database_url: SecretString,
    /// NATS.
    pub(crate) nats_url: SecretString,
    /// The servers of our own, and who looks after them.
    pub(crate) own: Option<(DataPlane, Supervisor)>,
}

impl Data {
    /// Starts what the configuration does not name.
    pub(crate) async fn start(config: &Config) -> anyhow::Result<Self> {
        let given = config.database_url.clone();
        if let (Some(database_url), Some(nats_url)) = (&given, &config.nats_url) {
            return Ok(Self { database_url: database_url.clone(), nats_url: nats_url.clone(), own: None });
        }
        let data_dir = config.data_dir.path();
        let mut options = Options::new(data_dir, places(config));
        if given.is_some() {
            options = options.without_postgres();
        }
        if config.nats_url.is_some() {
            options = options.without_nats();
        }
        let supervisor = Supervisor::start_with_this_program()?;
        let plane = DataPlane::start(options, &supervisor, &OperatingSystem).await?;
        for server in plane.running() {
            tracing::info!(server = %server.server, pid = server.pid, took = ?server.took, "the data plane answers");
        }
        let own = plane.database_url().map(SecretString::from);
        let database_url = given.or(own).ok_or_else(|| anyhow::anyhow!("the data plane has no database"))?;
        let nats_url = config.nats_url.clone().or_else(|| plane.nats_url().cloned());
        let nats_url = nats_url.ok_or_else(|| anyhow::anyhow!("the data plane has no NATS"))?;
        Ok(Self { database_url, nats_url, own: Some((plane, supervisor)) })
    }

    pub(crate) fn url(&self) -> String {
        self.database_url.expose_secret().to_owned()
    }

    /// Resolves when a server of our own ends by itself.
    pub(crate) async fn lost(&self) -> anyhow::Error {
        match &self.own {
            Some((plane, _)) => plane.ended().await.into(),
            None => std::future::pending().await,
        }
    }

    pub(crate) async fn stop(self) -> anyhow::Result<()> {
        if let Some((plane, _supervisor)) = self.own {
            plane.stop().await?;
        }
        Ok(())
    }
}

#[expect(clippy::disallowed_methods, reason = "where programs are cached is the machine's business, not a setting")]
fn places(config: &Config) -> Places {
    Places::from_env(|name| std::env::var_os(name), config.data_dir.path())
}
