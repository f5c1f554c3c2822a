use std::ops::Deref;

use tokio::task::JoinSet;
use tokio_postgres::{Client, NoTls};

use crate::eventually;

/// A connection for whatever SQL a test has to say by itself. It closes when it is dropped.
#[derive(Debug)]
pub struct Connection {
    client: Client,
    _driver: JoinSet<()>,
}

impl Connection {
    /// Connects.
    ///
    /// # Panics
    /// If the server does not take the connection.
    pub async fn open(url: &str) -> Self {
        let (client, connection) = tokio_postgres::connect(url, NoTls).await.expect("the test's database is there");
        let mut driver = JoinSet::new();
        driver.spawn(async move {
            // What goes wrong is told to whoever waits for an answer.
            let _ = connection.await;
        });
        Self { client, _driver: driver }
    }

    /// Whether the query answers with anything.
    ///
    /// # Panics
    /// If the query fails.
    pub async fn any(&self, sql: &str) -> bool {
        !self
            .client
            .simple_query(sql)
            .await
            .unwrap()
            .iter()
            .all(|message| !matches!(message, tokio_postgres::SimpleQueryMessage::Row(_)))
    }

    /// Waits until somebody else waits for a lock that this connection's transaction holds, then commits that.
    ///
    /// # Panics
    /// If nobody comes.
    pub async fn commit_once_waited_for(&self) {
        // Locks are seen as they are; who is connected would be seen as at the beginning of the transaction.
        let waits = "SELECT FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid))";
        eventually("somebody waits for the transaction", async || self.any(waits).await.then_some(())).await;
        self.client.batch_execute("COMMIT").await.unwrap();
    }
}

impl Deref for Connection {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}
