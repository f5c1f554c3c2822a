//! What went with rows and is kept elsewhere. Triggers note it in the transaction that deletes the rows; here the notes are
//! read and worked off.

use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Binary, Bool, Nullable, Text};
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl};
use omni_domain::{AppId, ChunkId, SiloId};
use omni_rbac::{Editor, Grant, SystemGrant};

use crate::app_scoped::small;
use crate::connection::Sight;
use crate::statement::Statement;
use crate::{Store, StoreError};

/// The note of a file that a document referred to which is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ForgottenBlob {
    note: i64,
    /// The SHA-256 of its bytes.
    pub hash: [u8; 32],
}

/// The note of points that nothing finds any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForgottenPoints {
    note: i64,
    /// The app that they were of.
    pub app: AppId,
    /// The silo that they were in.
    pub silo: SiloId,
    /// What they were made with, and how many dimensions they have.
    pub embedded_with: (String, u32),
    /// The passages that they were of; all of the silo's if there are none.
    pub chunks: Option<Vec<ChunkId>>,
}

#[derive(QueryableByName)]
struct BlobRow {
    #[diesel(sql_type = BigInt)]
    note_id: i64,
    #[diesel(sql_type = Binary)]
    blob_hash: Vec<u8>,
}

#[derive(QueryableByName)]
struct PointsRow {
    #[diesel(sql_type = BigInt)]
    note_id: i64,
    #[diesel(sql_type = BigInt)]
    of_app: i64,
    #[diesel(sql_type = BigInt)]
    of_silo: i64,
    #[diesel(sql_type = Text)]
    embedding_model: String,
    #[diesel(sql_type = BigInt)]
    dimensions: i64,
    #[diesel(sql_type = Nullable<Array<BigInt>>)]
    chunk_ids: Option<Vec<i64>>,
}

#[derive(QueryableByName)]
struct AnswerRow {
    #[diesel(sql_type = Bool)]
    answer: bool,
}

impl TryFrom<PointsRow> for ForgottenPoints {
    type Error = StoreError;

    fn try_from(row: PointsRow) -> Result<Self, StoreError> {
        Ok(Self {
            note: row.note_id,
            app: AppId::new(row.of_app),
            silo: SiloId::new(row.of_silo),
            embedded_with: (row.embedding_model, small(row.dimensions)?),
            chunks: row.chunk_ids.map(|chunks| chunks.into_iter().map(ChunkId::new).collect()),
        })
    }
}

impl Store {
    /// Some files that documents referred to which are gone, those that went first at first.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the server is away.
    pub async fn forgotten_blobs(&self, _leave: &SystemGrant, most: u32) -> Result<Vec<ForgottenBlob>, StoreError> {
        let rows: Vec<BlobRow> =
            Statement::new("SELECT note_id, blob_hash FROM forgotten_blobs ORDER BY note_id LIMIT ")
                .int(most)
                .load(&mut self.lend(Sight::NoApp).await?)
                .await?;
        let note = |row: BlobRow| {
            let hash = row.blob_hash.try_into();
            let hash = hash.map_err(|_| StoreError::inconsistent("a hash that is not of 32 bytes"))?;
            Ok(ForgottenBlob { note: row.note_id, hash })
        };
        rows.into_iter().map(note).collect()
    }

    /// Works off the note of a file, with `removal` if no document refers to the file any more. Says false, and leaves the
    /// note, if the file is on its way into a repository just now: who brings it holds it until its document is there.
    ///
    /// # Errors
    /// That of `removal`, or [`StoreError::Unavailable`] if the server is away; then the note stays.
    pub async fn forget_blob<E: From<StoreError> + Send>(
        &self,
        _leave: &SystemGrant,
        blob: ForgottenBlob,
        removal: impl Future<Output = Result<(), E>> + Send,
    ) -> Result<bool, E> {
        let mut lent = self.lend(Sight::AllApps).await?;
        let worked_off = lent.transaction::<_, Halt<E>, _>(async |connection| {
            let free = Statement::new("SELECT pg_try_advisory_xact_lock(").int(key(&blob.hash)).sql(") AS answer");
            if !free.get_result::<AnswerRow>(connection).await?.answer {
                return Ok(false);
            }
            let used = Statement::new("SELECT EXISTS (SELECT FROM documents WHERE blob_hash = ").bytes(blob.hash);
            if !used.sql(") AS answer").get_result::<AnswerRow>(connection).await?.answer {
                removal.await.map_err(Halt::Work)?;
            }
            Statement::new("DELETE FROM forgotten_blobs WHERE note_id = ").int(blob.note).execute(connection).await?;
            Ok(true)
        });
        worked_off.await.map_err(Halt::into_error)
    }

    /// Notes files that were stored for documents that there are not after all.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the server is away.
    pub(crate) async fn note_blobs(&self, hashes: impl Iterator<Item = [u8; 32]> + Send) -> Result<(), StoreError> {
        Statement::new("INSERT INTO forgotten_blobs (blob_hash) SELECT unnest(")
            .byte_strings(hashes.map(|hash| hash.to_vec()).collect::<Vec<_>>())
            .sql(")")
            .execute(&mut self.lend(Sight::NoApp).await?)
            .await?;
        Ok(())
    }

    /// Some points that nothing finds any more, those that went first at first.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the server is away.
    pub async fn forgotten_points(&self, _leave: &SystemGrant, most: u32) -> Result<Vec<ForgottenPoints>, StoreError> {
        let rows: Vec<PointsRow> =
            Statement::new("SELECT note_id, of_app, of_silo, embedding_model, dimensions, chunk_ids ")
                .sql("FROM forgotten_points ORDER BY note_id LIMIT ")
                .int(most)
                .load(&mut self.lend(Sight::NoApp).await?)
                .await?;
        rows.into_iter().map(ForgottenPoints::try_from).collect()
    }

    /// Says that points are gone.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the server is away.
    pub async fn points_are_gone(&self, _leave: &SystemGrant, points: &ForgottenPoints) -> Result<(), StoreError> {
        Statement::new("DELETE FROM forgotten_points WHERE note_id = ")
            .int(points.note)
            .execute(&mut self.lend(Sight::NoApp).await?)
            .await?;
        Ok(())
    }

    /// Notes points that arrived after what they are of had gone.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the server is away.
    pub async fn note_points(
        &self,
        grant: &Grant<Editor>,
        silo: SiloId,
        (model, dimensions): (&str, u32),
        chunks: &[ChunkId],
    ) -> Result<(), StoreError> {
        Statement::new(
            "INSERT INTO forgotten_points (of_app, of_silo, embedding_model, dimensions, chunk_ids) VALUES (",
        )
        .int(grant.app().get())
        .sql(", ")
        .int(silo.get())
        .sql(", ")
        .text(model)
        .sql(", ")
        .int(dimensions)
        .sql(", ")
        .ints(chunks.iter().map(|chunk| chunk.get()).collect::<Vec<_>>())
        .sql(")")
        .execute(&mut self.lend(Sight::of(grant)).await?)
        .await?;
        Ok(())
    }
}

/// Keeps files from being removed until the transaction ends, which brings documents that refer to them.
pub(crate) async fn hold_blobs(
    connection: &mut AsyncPgConnection,
    hashes: impl Iterator<Item = &[u8; 32]> + Send,
) -> Result<(), StoreError> {
    Statement::new("SELECT pg_advisory_xact_lock_shared(k) FROM unnest(")
        .ints(hashes.map(key).collect::<Vec<_>>())
        .sql(") AS k")
        .execute(connection)
        .await?;
    Ok(())
}

/// What is locked for a file. Two that share it wait for one another now and then, and that is all.
fn key(hash: &[u8; 32]) -> i64 {
    let [a, b, c, d, e, f, g, h, ..] = *hash;
    i64::from_be_bytes([a, b, c, d, e, f, g, h])
}

/// Why a transaction ends without a commit: its own error, or that of the work that goes with it.
pub(crate) enum Halt<E> {
    Store(StoreError),
    Work(E),
}

impl<E: From<StoreError>> Halt<E> {
    pub(crate) fn into_error(self) -> E {
        match self {
            Self::Store(error) => error.into(),
            Self::Work(error) => error,
        }
    }
}

impl<E> From<StoreError> for Halt<E> {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl<E> From<diesel::result::Error> for Halt<E> {
    fn from(error: diesel::result::Error) -> Self {
        Self::Store(error.into())
    }
}
