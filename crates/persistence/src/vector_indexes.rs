//! An index of its own for each large silo.
//!
//! A small silo is searched exactly, which is as fast and finds everything. From some tens of thousands of vectors on that
//! takes too long; an index over all silos would lose most of what is nearest in a small one, for its graph leads through
//! the vectors of others.

use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Bool, Text};
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
    vectors: i64,
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
    #[diesel(sql_type = Bool)]
    valid: bool,
}

#[derive(QueryableByName)]
struct LockRow {
    #[diesel(sql_type = Bool)]
    locked: bool,
}

impl Store {
    /// Builds the indexes that large silos lack and drops those of silos that are gone, embedded anew, or less than half as
    /// large, and what a build that was broken off has left; what is written and searched goes on meanwhile. Says how many
    /// were built. Of several replicas that come at once, one does it.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the server is away.
    pub async fn tend_vector_indexes(&self, _leave: &SystemGrant, from: u64) -> Result<usize, StoreError> {
        let from = i64::try_from(from).unwrap_or(i64::MAX);
        let large: Vec<LargeRow> = Statement::new("SELECT d.vectors, s.silo_id, s.epoch, s.dimensions FROM silos s, LATERAL ")
            .sql("(SELECT coalesce(sum(d.chunk_count), 0)::bigint AS vectors FROM documents d WHERE d.silo_id = s.silo_id) d ")
            .sql("WHERE s.vector_db_type = 'PGVECTOR' AND s.dimensions <= 4000 AND d.vectors >= ")
            // One that is built stays until the silo is half as large: who deletes and adds at the limit builds nothing.
            .int(from / 2)
            .sql(" ORDER BY s.silo_id")
            .load(&mut self.lend(Sight::AllApps).await?)
            .await?;
        let there: Vec<NameRow> =
            Statement::new("SELECT c.relname::text AS name, i.indisvalid AS valid FROM pg_index i ")
                .sql("JOIN pg_class c ON c.oid = i.indexrelid WHERE i.indrelid = 'chunk_vectors'::regclass ")
                .sql("AND starts_with(c.relname, ")
                .text(PREFIX)
                .sql(")")
                .load(&mut self.lend(Sight::NoApp).await?)
                .await?;
        let kept: Vec<(String, &LargeRow)> =
            large.iter().map(|silo| (format!("{PREFIX}{}_{}", silo.silo_id, silo.epoch), silo)).collect();
        let is_there = |name: &str| there.iter().any(|row| row.valid && row.name == name);
        let missing: Vec<_> = kept.iter().filter(|(name, silo)| silo.vectors >= from && !is_there(name)).collect();
        let is_kept = |row: &NameRow| row.valid && kept.iter().any(|(name, _)| row.name == *name);
        let stale: Vec<_> = there.iter().filter(|row| !is_kept(row)).collect();
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
        for NameRow { name, .. } in stale {
            connection.batch_execute(&format!("DROP INDEX CONCURRENTLY IF EXISTS {name}")).await?;
        }
        let mut built = 0;
        for (name, LargeRow { silo_id, epoch, dimensions, .. }) in missing {
            // Another replica may have given one up halfway since it was looked.
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
