use std::fmt;
use std::time::Duration;

use deadpool::managed::{Pool, QueueMode};
use diesel_async::RunQueryDsl;

use crate::StoreError;
use crate::connection::{Connector, Lent, Sight};
use crate::lanes::Lanes;
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
    connector: Connector,
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("pool", &self.pool).finish_non_exhaustive()
    }
}

impl Store {
    /// Makes the pool. Nothing is connected yet, so an unreachable server is noticed at the first use.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the URL makes no sense.
    pub fn new(options: &Options) -> Result<Self, StoreError> {
        let connector = Connector::new(&options.url, options.patience)?;
        let pool = Lanes::new(options.connections, options.patience, |connections| {
            Pool::builder(connector.clone())
                .max_size(connections)
                // The most recently used connection is the warmest one, and idle ones stay cold enough to be let go.
                .queue_mode(QueueMode::Lifo)
                .runtime(deadpool::Runtime::Tokio1)
                .build()
                .map_err(|error| StoreError::Unavailable(Box::new(error)))
        })?;
        Ok(Self { pool, connector })
    }

    /// Whether the server answers.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if it does not.
    pub async fn ping(&self) -> Result<(), StoreError> {
        Statement::new("SELECT 1").execute(&mut self.lend(Sight::NoApp).await?).await?;
        Ok(())
    }

    /// How many connections are in use, and how many may be.
    #[must_use]
    pub fn connections(&self) -> (usize, usize) {
        self.pool.usage()
    }

    /// Lends a connection that sees these rows and no others.
    pub(crate) async fn lend(&self, sight: Sight) -> Result<Lent, StoreError> {
        Lent::seeing(self.pool.lend().await?, sight).await
    }

    /// What opens connections of the login itself, which may change the schema.
    pub(crate) const fn connector(&self) -> &Connector {
        &self.connector
    }

    /// Closes the connections that nobody uses, so that those to come are made anew.
    pub(crate) fn renew(&self) {
        self.pool.renew();
    }
}
