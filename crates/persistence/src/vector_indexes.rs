//! An index of its own for each large silo.
//!
//! A small silo is searched exactly, which is as fast and finds everything. From some tens of thousands of vectors on that
//! takes too long; an index over all silos would lose most of what is nearest in a small one, for its graph leads through
//! the vectors of others.

use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Text};
use diesel_async::{RunQueryDsl, SimpleAsyncConnection};
use omni_rbac::SystemGrant;

use crate::connection::Sight;
use crate::statement::Statement;
use crate::{Store, StoreError};

/// From how many vectors on a silo has an index.
pub const INDEXED_FROM: u64 = 20_000;
/// What every replica locks while it builds, so that one does it: "vect" in ASCII.
const LOCK: i64 = 0x7665_6374;
/// How an index of a silo begins to be called.
const PREFIX: &str = "chunk_vectors_of_silo_";

#[derive(QueryableByName)]
struct LargeRow {
    #[diesel(sql_type = BigInt)]
    silo_id: i64,
    #[diesel(sql_type = BigInt)]
    epoch: i64,
    #[diesel(sql_type = BigInt)]
    dimensions: i64,
}

#[derive(QueryableByName)]
struct NameRow {
    #[diesel(sql_type = Text)]
    name: String,
}

#[derive(QueryableByName)]
struct LockRow {
    #[diesel(sql_type = diesel::sql_types::Bool)]
    locked: bool,
}

impl Store {
    /// Builds the indexes that large silos lack and drops those of silos that are gone or embedded anew; what is written and
    /// searched goes on meanwhile. Says how many were built. Of several replicas that come at once, one does it.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the server is away.
    pub async fn tend_vector_indexes(&self, _leave: &SystemGrant, from: u64) -> Result<usize, StoreError> {
        let large: Vec<LargeRow> = Statement::new("SELECT s.silo_id, s.epoch, s.dimensions FROM silos s ")
            .sql("WHERE s.vector_db_type = 'PGVECTOR' AND s.dimensions <= 4000 AND ")
            .sql("(SELECT coalesce(sum(d.chunk_count), 0) FROM documents d WHERE d.silo_id = s.silo_id) >= ")
            .int(i64::try_from(from).unwrap_or(i64::MAX))
            .sql(" ORDER BY s.silo_id")
            .load(&mut self.lend(Sight::AllApps).await?)
            .await?;
        let there: Vec<NameRow> = Statement::new("SELECT c.relname::text AS name FROM pg_index i ")
            .sql("JOIN pg_class c ON c.oid = i.indexrelid WHERE i.indrelid = 'chunk_vectors'::regclass AND i.indisvalid ")
            .sql("AND starts_with(c.relname, ")
            .text(PREFIX)
            .sql(")")
            .load(&mut self.lend(Sight::NoApp).await?)
            .await?;
        let wanted: Vec<(String, &LargeRow)> =
            large.iter().map(|silo| (format!("{PREFIX}{}_{}", silo.silo_id, silo.epoch), silo)).collect();
        let missing: Vec<_> = wanted.iter().filter(|(name, _)| there.iter().all(|row| row.name != *name)).collect();
        let stale: Vec<_> = there.iter().filter(|row| wanted.iter().all(|(name, _)| row.name != *name)).collect();
        if missing.is_empty() && stale.is_empty() {
            return Ok(0);
        }
        // The schema is its owner's, and building takes minutes: no connection of the pool.
        let mut connection = self.connector().open().await?;
        let lock: LockRow = Statement::new("SELECT pg_try_advisory_lock(")
            .int(LOCK)
            .sql(") AS locked")
            .get_result(&mut connection)
            .await?;
        if !lock.locked {
            return Ok(0);
        }
        connection.batch_execute("SET maintenance_work_mem = '256MB'").await?;
        for NameRow { name } in stale {
            connection.batch_execute(&format!("DROP INDEX CONCURRENTLY IF EXISTS {name}")).await?;
        }
        let mut built = 0;
        for (name, LargeRow { silo_id, epoch, dimensions }) in missing {
            // One that was given up halfway is there and not valid.
            connection.batch_execute(&format!("DROP INDEX CONCURRENTLY IF EXISTS {name}")).await?;
            connection
                .batch_execute(&format!(
                    "CREATE INDEX CONCURRENTLY {name} ON chunk_vectors USING hnsw \
                     ((embedding::halfvec({dimensions})) halfvec_cosine_ops) WHERE silo_id = {silo_id} AND epoch = {epoch}"
                ))
                .await?;
            built += 1;
        }
        Ok(built)
    }
}
