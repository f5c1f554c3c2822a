use std::time::{Duration, Instant};

use diesel::migration::MigrationVersion;
use diesel_async::{AsyncMigrationHarness, RunQueryDsl};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use crate::connection::Sight;
use crate::statement::Statement;
use crate::{Store, StoreError};

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../../migrations");

/// What every replica locks while it migrates, so that one does it and the others wait: "omni" in ASCII.
const LOCK: i64 = 0x6f6d_6e69;

/// What a migration did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MigrationReport {
    /// The versions that were applied, oldest first; empty if the schema was up to date.
    pub applied: Vec<String>,
    /// How long it took.
    pub took: Duration,
}

impl Store {
    /// Brings the schema up to date, once however many replicas start together. Needs the multi-thread runtime.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the server is away, [`StoreError::Migration`] if a migration failed.
    pub async fn migrate(&self) -> Result<MigrationReport, StoreError> {
        let started = Instant::now();
        // The schema is its owner's to change, not that of whoever works behind the wall.
        let mut connection = self.connector().open().await?;
        Statement::new("SELECT pg_advisory_lock(").int(LOCK).sql(")").execute(&mut connection).await?;
        let mut harness = AsyncMigrationHarness::new(connection);
        let outcome = tokio::task::block_in_place(|| harness.run_pending_migrations(MIGRATIONS).map(names));
        let mut connection = harness.into_inner();
        Statement::new("SELECT pg_advisory_unlock(").int(LOCK).sql(")").execute(&mut connection).await?;
        let applied = outcome.map_err(StoreError::Migration)?;
        // Connections from before do not know the role of the second wall.
        self.renew();
        Ok(MigrationReport { applied, took: started.elapsed() })
    }

    /// Takes the last `steps` migrations back, to prove that they can be.
    ///
    /// # Errors
    /// As [`Store::migrate`].
    pub async fn revert(&self, steps: usize) -> Result<(), StoreError> {
        let mut harness = AsyncMigrationHarness::new(self.connector().open().await?);
        tokio::task::block_in_place(|| {
            (0..steps).try_for_each(|_| harness.revert_last_migration(MIGRATIONS).map(drop))
        })
        .map_err(StoreError::Migration)?;
        self.renew();
        Ok(())
    }

    /// Whether the schema has every migration that this program knows.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the server is away.
    pub async fn is_migrated(&self) -> Result<bool, StoreError> {
        use diesel::migration::MigrationSource;
        #[derive(diesel::QueryableByName)]
        struct Applied {
            #[diesel(sql_type = diesel::sql_types::BigInt)]
            applied: i64,
        }
        let known = MigrationSource::<diesel::pg::Pg>::migrations(&MIGRATIONS).map_err(StoreError::Migration)?.len();
        let row: Applied = Statement::new("SELECT count(*) AS applied FROM __diesel_schema_migrations")
            .get_result(&mut self.lend(Sight::NoApp).await?)
            .await?;
        Ok(usize::try_from(row.applied).is_ok_and(|applied| applied >= known))
    }
}

fn names(versions: Vec<MigrationVersion<'_>>) -> Vec<String> {
    versions.into_iter().map(|version| version.to_string()).collect()
}
