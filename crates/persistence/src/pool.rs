use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use deadpool::managed::QueueMode;
use diesel::{ConnectionError, ConnectionResult};
use diesel_async::pooled_connection::deadpool::Pool;
use diesel_async::pooled_connection::{AsyncDieselConnectionManager, ManagerConfig, RecyclingMethod};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use futures::FutureExt;
use futures::future::BoxFuture;
use omni_domain::error_chain;
use tokio_postgres::NoTls;
use tokio_postgres::config::{Config, Host, SslMode};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::StoreError;
use crate::lanes::{Lanes, Lent};
use crate::statement::Statement;

/// How the database is reached.
#[derive(Clone)]
pub struct Options {
    /// `postgresql://…`. TLS is used wherever the server offers it, and demanded with `sslmode=require`.
    pub url: String,
    /// The most connections that are open at once.
    pub connections: usize,
    /// How long a caller waits for a free connection before it is told that the database is not available.
    pub patience: Duration,
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options").field("connections", &self.connections).finish_non_exhaustive()
    }
}

/// The database.
#[derive(Clone)]
pub struct Store {
    pool: Lanes,
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("pool", &self.pool).finish()
    }
}

impl Store {
    /// Makes the pool. Nothing is connected yet, so an unreachable server is noticed at the first use.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the URL makes no sense.
    pub fn new(options: &Options) -> Result<Self, StoreError> {
        let config: Config = options.url.parse().map_err(|error| StoreError::Unavailable(Box::new(error)))?;
        let tls = tls(&config)?;
        let pool = Lanes::new(options.connections, options.patience, |connections| {
            let (config, tls) = (config.clone(), tls.clone());
            let mut manager = ManagerConfig::default();
            // A test query per request would cost every request a round trip; a connection that died is found by its use.
            manager.recycling_method = RecyclingMethod::Fast;
            manager.custom_setup = Box::new(move |_| connect(config.clone(), tls.clone()));
            Pool::builder(AsyncDieselConnectionManager::new_with_config(options.url.clone(), manager))
                .max_size(connections)
                // The most recently used connection is the warmest one, and idle ones stay cold enough to be let go.
                .queue_mode(QueueMode::Lifo)
                .runtime(deadpool::Runtime::Tokio1)
                .build()
                .map_err(|error| StoreError::Unavailable(Box::new(error)))
        })?;
        Ok(Self { pool })
    }

    /// Whether the server answers.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if it does not.
    pub async fn ping(&self) -> Result<(), StoreError> {
        Statement::new("SELECT 1").execute(&mut self.lend().await?).await?;
        Ok(())
    }

    /// How many connections are in use, and how many may be.
    #[must_use]
    pub fn connections(&self) -> (usize, usize) {
        self.pool.usage()
    }

    pub(crate) async fn lend(&self) -> Result<Lent, StoreError> {
        self.pool.lend().await
    }
}

/// The TLS that a server gets that asks for it, or none where it means nothing.
fn tls(config: &Config) -> Result<Option<MakeRustlsConnect>, StoreError> {
    let is_local = config.get_hosts().iter().all(|host| !matches!(host, Host::Tcp(_)));
    if is_local || config.get_ssl_mode() == SslMode::Disable {
        return Ok(None);
    }
    use rustls_platform_verifier::BuilderVerifierExt;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let client = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(BuilderVerifierExt::with_platform_verifier)
        .map_err(|error| StoreError::Unavailable(Box::new(error)))?
        .with_no_client_auth();
    Ok(Some(MakeRustlsConnect::new(client)))
}

fn connect(config: Config, tls: Option<MakeRustlsConnect>) -> BoxFuture<'static, ConnectionResult<AsyncPgConnection>> {
    // `ConnectionError` keeps no source.
    let refused = |error: tokio_postgres::Error| ConnectionError::BadConnection(error_chain(&error));
    async move {
        match tls {
            None => {
                let (client, connection) = config.connect(NoTls).await.map_err(refused)?;
                AsyncPgConnection::try_from_client_and_connection(client, connection).await
            }
            Some(tls) => {
                let (client, connection) = config.connect(tls).await.map_err(refused)?;
                AsyncPgConnection::try_from_client_and_connection(client, connection).await
            }
        }
    }
    .boxed()
}
