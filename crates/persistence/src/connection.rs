//! Connections to PostgreSQL, each with the apps that it sees.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::time::Duration;

use deadpool::managed::{Manager, Metrics, Object, RecycleError, RecycleResult};
use diesel::{ConnectionError, ConnectionResult, QueryableByName, sql_types::Bool};
use diesel_async::pooled_connection::PoolableConnection;
use diesel_async::{AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};
use omni_domain::{AppId, error_chain};
use omni_rbac::{Grant, Rank};
use tokio_postgres::NoTls;
use tokio_postgres::config::{Config, Host, SslMode};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::statement::Statement;
use crate::{StoreError, search};

/// Whose rows a connection sees. PostgreSQL itself keeps to it, so a statement that forgot its filter finds nothing of
/// another app: the second wall, behind the grants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sight {
    /// The rows of one app.
    App(AppId),
    /// The rows of all apps: what decides who may do what, what is about one person wherever they are, and what the program
    /// does by itself. A test counts the places.
    AllApps,
    /// No app's rows; what belongs to no app is seen by everybody.
    NoApp,
}

impl Sight {
    /// What the holder of a grant sees.
    pub(crate) const fn of<R: Rank>(grant: &Grant<R>) -> Self {
        Self::App(grant.app())
    }

    /// The statement that says so. Nothing in it is anybody's text.
    fn statement(self) -> String {
        match self {
            Self::App(app) => format!("SET omni.app = '{app}'"),
            Self::AllApps => "SET omni.app = '*'".to_owned(),
            Self::NoApp => "SET omni.app = ''".to_owned(),
        }
    }
}

/// A connection of the pool, and what it was last told to see.
pub(crate) struct Pooled {
    connection: AsyncPgConnection,
    /// Not known while it is being told, and after that has failed.
    sight: Option<Sight>,
}

/// A connection lent by the pool, which sees what its borrower may.
pub(crate) struct Lent(Object<Connector>);

impl Lent {
    /// Has a connection see `sight` and nothing else.
    pub(crate) async fn seeing(mut object: Object<Connector>, sight: Sight) -> Result<Self, StoreError> {
        if object.sight != Some(sight) {
            object.sight = None;
            object.connection.batch_execute(&sight.statement()).await?;
            object.sight = Some(sight);
        }
        Ok(Self(object))
    }
}

impl Deref for Lent {
    type Target = AsyncPgConnection;

    fn deref(&self) -> &AsyncPgConnection {
        &self.0.connection
    }
}

impl DerefMut for Lent {
    fn deref_mut(&mut self) -> &mut AsyncPgConnection {
        &mut self.0.connection
    }
}

/// Opens connections, and says of used ones whether they still can be.
#[derive(Clone)]
pub(crate) struct Connector {
    config: Arc<Config>,
    tls: Option<MakeRustlsConnect>,
    patience: Duration,
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connector").field("tls", &self.tls.is_some()).finish_non_exhaustive()
    }
}

impl Connector {
    /// Reads where the server is. TLS is used wherever the server offers it, and demanded with `sslmode=require`.
    pub(crate) fn new(url: &str, patience: Duration) -> Result<Self, StoreError> {
        let config: Config = url.parse().map_err(|error| StoreError::Unavailable(Box::new(error)))?;
        Ok(Self { tls: tls(&config)?, config: Arc::new(config), patience })
    }

    /// Opens a connection that is what its login is: of an owner, who may change the schema, and who sees everything if it
    /// is a superuser's.
    pub(crate) async fn open(&self) -> ConnectionResult<AsyncPgConnection> {
        let late = |_| ConnectionError::BadConnection("the server does not answer".to_owned());
        tokio::time::timeout(self.patience, Box::pin(self.connect())).await.map_err(late)?
    }

    async fn connect(&self) -> ConnectionResult<AsyncPgConnection> {
        // `ConnectionError` keeps no source.
        let refused = |error: tokio_postgres::Error| ConnectionError::BadConnection(error_chain(&error));
        match self.tls.clone() {
            None => {
                let (client, connection) = self.config.connect(NoTls).await.map_err(refused)?;
                AsyncPgConnection::try_from_client_and_connection(client, connection).await
            }
            Some(tls) => {
                let (client, connection) = self.config.connect(tls).await.map_err(refused)?;
                AsyncPgConnection::try_from_client_and_connection(client, connection).await
            }
        }
    }

    /// Opens a connection that the second wall holds for.
    async fn open_behind_the_wall(&self) -> ConnectionResult<Pooled> {
        let mut connection = self.open().await?;
        let passes: Passes = Statement::new("SELECT coalesce((SELECT (u.rolsuper OR u.rolbypassrls) ")
            .sql("AND pg_has_role(u.oid, w.oid, 'MEMBER') AND to_regprocedure('omni_fence(regclass)') IS NOT NULL ")
            .sql("FROM pg_roles u, pg_roles w WHERE u.rolname = current_user AND w.rolname = 'omni_behind_the_wall'), false) ")
            .sql("AS steps_down")
            .get_result(&mut connection)
            .await
            .map_err(ConnectionError::CouldntSetupConfiguration)?;
        let role = if passes.steps_down { "; SET ROLE omni_behind_the_wall" } else { "" };
        connection
            .batch_execute(&format!("{}{role}", search::SETTINGS))
            .await
            .map_err(ConnectionError::CouldntSetupConfiguration)?;
        Ok(Pooled { connection, sight: None })
    }
}

#[derive(QueryableByName)]
struct Passes {
    /// Whether the login passes through the wall, and there is a role behind it to step down to.
    #[diesel(sql_type = Bool)]
    steps_down: bool,
}

impl Manager for Connector {
    type Type = Pooled;
    type Error = ConnectionError;

    async fn create(&self) -> Result<Pooled, ConnectionError> {
        // Boxed: opening one is rare and large, and lending one is neither.
        Box::pin(self.open_behind_the_wall()).await
    }

    /// A test query per request would cost every request a round trip; a connection that died is found by its use.
    async fn recycle(&self, pooled: &mut Pooled, _: &Metrics) -> RecycleResult<ConnectionError> {
        if std::thread::panicking() || pooled.connection.is_broken() {
            return Err(RecycleError::message("the connection is broken"));
        }
        Ok(())
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
