//! Embedding a silo anew: the vectors of the next epoch are written beside those that are searched, and take their place
//! when none is missing.

use diesel::QueryableByName;
use diesel::prelude::OptionalExtension;
use diesel::sql_types::{Array, BigInt, Text};
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl};
use omni_domain::{Audited, ChunkId, Deed, EmbeddingServiceId, Job, Silo, SiloId, Timestamp, Work};
use omni_rbac::{Editor, Grant};

use crate::audit;
use crate::chunks::vector_text;
use crate::connection::Sight;
use crate::jobs::enqueue;
use crate::silo_settings::check_embedding_service;
use crate::statement::Statement;
use crate::{Store, StoreError, silos};

/// A passage that has no vector in an epoch yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unembedded {
    /// The passage.
    pub chunk: ChunkId,
    /// The headings above it.
    pub headings: Vec<String>,
    /// What it says.
    pub content: String,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = BigInt)]
    chunk_id: i64,
    #[diesel(sql_type = Array<Text>)]
    headings: Vec<String>,
    #[diesel(sql_type = Text)]
    content: String,
}

#[derive(QueryableByName)]
struct MissingRow {
    #[diesel(sql_type = BigInt)]
    missing: i64,
}

impl Store {
    /// Asks for a silo to be embedded anew, by its embedding service or by another one.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if that is being done already, [`StoreError::Invalid`] if the app has no such service.
    pub async fn embed_anew(
        &self,
        grant: &Grant<Editor>,
        silo: SiloId,
        service: Option<EmbeddingServiceId>,
        now: Timestamp,
    ) -> Result<Job, StoreError> {
        let mut lent = self.lend(Sight::of(grant)).await?;
        lent.transaction(async |connection| {
            silos::locked(connection, grant.app(), silo).await?;
            check_embedding_service(connection, grant.app(), service).await?;
            of_silo(
                Statement::new("UPDATE silos SET next_service_id = ")
                    .optional_int(service.map(EmbeddingServiceId::get)),
                grant,
                silo,
            )
            .execute(connection)
            .await?;
            let job = enqueue(connection, grant.app(), Work::Embed(silo), Some(grant.actor()), now).await?;
            let deed = Deed::plain("silo.embed_anew").at(Silo::KIND, silo.get());
            audit::record(connection, Some(grant.app()), grant.by(), &deed).await?;
            Ok(job)
        })
        .await
    }

    /// Begins or goes on to write vectors of `epoch`, made with this model. What an attempt with another one has left is
    /// removed: an epoch is of one model.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the server is away.
    pub async fn write_epoch_with(
        &self,
        grant: &Grant<Editor>,
        silo: SiloId,
        epoch: u64,
        model: &str,
    ) -> Result<(), StoreError> {
        let mut lent = self.lend(Sight::of(grant)).await?;
        lent.transaction(async |connection| {
            let note = Statement::new("UPDATE silos SET next_model = ").text(model);
            let changed = of_silo(note, grant, silo)
                .sql(" AND next_model IS DISTINCT FROM ")
                .text(model)
                .execute(connection)
                .await?;
            if changed > 0 {
                Statement::new("DELETE FROM chunk_vectors WHERE silo_id = ")
                    .int(silo.get())
                    .sql(" AND epoch = ")
                    .int(number(epoch))
                    .execute(connection)
                    .await?;
            }
            Ok(())
        })
        .await
    }

    /// Some passages of a silo that have no vector in `epoch` yet, the oldest first, and how many there are.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the server is away.
    pub async fn unembedded(
        &self,
        grant: &Grant<Editor>,
        silo: SiloId,
        epoch: u64,
        most: u32,
    ) -> Result<(Vec<Unembedded>, u64), StoreError> {
        let mut lent = self.lend(Sight::of(grant)).await?;
        let missing = count_missing(&mut lent, grant, silo, epoch).await?;
        let rows: Vec<Row> = lacking(Statement::new("SELECT c.chunk_id, c.headings, c.content"), grant, silo, epoch)
            .sql(" ORDER BY c.chunk_id LIMIT ")
            .int(most)
            .load(&mut lent)
            .await?;
        let chunks = rows.into_iter().map(|row| Unembedded {
            chunk: ChunkId::new(row.chunk_id),
            headings: row.headings,
            content: row.content,
        });
        Ok((chunks.collect(), missing))
    }

    /// Writes vectors of an epoch. Those of passages that have gone meanwhile are left out.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the server is away.
    pub async fn add_vectors(
        &self,
        grant: &Grant<Editor>,
        silo: SiloId,
        epoch: u64,
        vectors: &[(ChunkId, Vec<f32>)],
    ) -> Result<(), StoreError> {
        Statement::new("INSERT INTO chunk_vectors (silo_id, epoch, chunk_id, embedding) SELECT c.silo_id, ")
            .int(number(epoch))
            .sql(", c.chunk_id, u.embedding::halfvec FROM unnest(")
            .ints(vectors.iter().map(|(chunk, _)| chunk.get()).collect::<Vec<_>>())
            .sql(", ")
            .texts(vectors.iter().map(|(_, vector)| vector_text(vector)).collect::<Vec<_>>())
            .sql(") AS u (chunk_id, embedding) JOIN chunks c ON c.chunk_id = u.chunk_id WHERE c.app_id = ")
            .int(grant.app().get())
            .sql(" AND c.silo_id = ")
            .int(silo.get())
            .sql(" ON CONFLICT DO NOTHING")
            .execute(&mut self.lend(Sight::of(grant)).await?)
            .await?;
        Ok(())
    }

    /// Has a silo searched by the vectors of `epoch` from now on, made with this model by its next service, and removes all
    /// others. Says false if one is missing: something was written meanwhile.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if the silo is gone.
    pub async fn begin_epoch(
        &self,
        grant: &Grant<Editor>,
        silo: SiloId,
        epoch: u64,
        model: Option<(&str, u32)>,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut lent = self.lend(Sight::of(grant)).await?;
        lent.transaction(async |connection| {
            // Whoever writes passages holds the silo's row, too.
            let held = of_silo(Statement::new("SELECT epoch AS missing FROM silos"), grant, silo).sql(" FOR UPDATE");
            held.get_result::<MissingRow>(connection).await.optional()?.ok_or(StoreError::NotFound)?;
            if count_missing(connection, grant, silo, epoch).await? > 0 {
                return Ok(false);
            }
            let change = Statement::new("UPDATE silos SET epoch = ")
                .int(number(epoch))
                .sql(", embedding_service_id = next_service_id, next_service_id = NULL, next_model = NULL, embedding_model = ")
                .optional_text(model.map(|(id, _)| id.to_owned()))
                .sql(", dimensions = ")
                .optional_int(model.map(|(_, dimensions)| i64::from(dimensions)))
                .sql(", update_date = ")
                .moment(now);
            of_silo(change, grant, silo).execute(connection).await?;
            Statement::new("DELETE FROM chunk_vectors WHERE silo_id = ")
                .int(silo.get())
                .sql(" AND epoch <> ")
                .int(number(epoch))
                .execute(connection)
                .await?;
            Ok(true)
        })
        .await
    }
}

fn of_silo(statement: Statement, grant: &Grant<Editor>, silo: SiloId) -> Statement {
    statement.sql(" WHERE app_id = ").int(grant.app().get()).sql(" AND silo_id = ").int(silo.get())
}

fn lacking(statement: Statement, grant: &Grant<Editor>, silo: SiloId, epoch: u64) -> Statement {
    statement
        .sql(" FROM chunks c WHERE c.app_id = ")
        .int(grant.app().get())
        .sql(" AND c.silo_id = ")
        .int(silo.get())
        .sql(" AND NOT EXISTS (SELECT FROM chunk_vectors v WHERE v.silo_id = c.silo_id AND v.chunk_id = c.chunk_id AND v.epoch = ")
        .int(number(epoch))
        .sql(")")
}

async fn count_missing(
    connection: &mut AsyncPgConnection,
    grant: &Grant<Editor>,
    silo: SiloId,
    epoch: u64,
) -> Result<u64, StoreError> {
    let row: MissingRow =
        lacking(Statement::new("SELECT count(*) AS missing"), grant, silo, epoch).get_result(connection).await?;
    crate::app_scoped::count(row.missing)
}

fn number(epoch: u64) -> i64 {
    i64::try_from(epoch).unwrap_or(i64::MAX)
}
