//! The passages of documents: written whole or not at all, with what they are found by.

use diesel::QueryableByName;
use diesel::prelude::OptionalExtension;
use diesel::sql_types::{BigInt, Nullable, Text};
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl};
use omni_domain::{ChunkId, DocumentId, DomainId, DomainUrlId, SiloId, Timestamp};
use omni_rbac::{Editor, Grant};

use crate::connection::Sight;
use crate::statement::Statement;
use crate::{NewText, PageText, Store, StoreError, crawled_pages, silo_documents};

/// How many passages one statement writes.
const AT_ONCE: usize = 500;
/// What is said of a text or page until its vectors are where they belong. Nobody comes back for it by itself, so that it
/// must not look as if it were being worked on.
const ON_THE_WAY: &str = "its vectors have not reached the Qdrant server; index it again";

/// A passage that is to be found.
#[derive(Debug, Clone, PartialEq)]
pub struct NewChunk {
    /// What it says.
    pub content: String,
    /// The page that it is on, from 1.
    pub page: Option<u32>,
    /// The headings above it, the outermost first.
    pub headings: Vec<String>,
    /// Where it begins in the document's text, in characters.
    pub start: u64,
    /// Where it ends.
    pub end: u64,
    /// Its vector, where PostgreSQL keeps it.
    pub vector: Option<Vec<f32>>,
}

/// Whose passages they are.
#[derive(Debug, Clone, Copy)]
pub enum Home<'a> {
    /// A document that is there, which a job takes in.
    Document(DocumentId),
    /// A text, which becomes a document with them.
    Text(&'a NewText<'a>),
    /// A page, whose document is made or brought up to date with them.
    Page {
        /// The domain that it is of.
        domain: DomainId,
        /// The page.
        page: DomainUrlId,
        /// What is known of it.
        text: &'a PageText,
    },
}

/// All passages of a document, and what is known of it with them.
#[derive(Debug, Clone)]
pub struct NewChunks<'a> {
    /// Whose they are.
    pub home: Home<'a>,
    /// The silo that it is in.
    pub silo: SiloId,
    /// What the vectors were made with, and how many dimensions they have.
    pub model: (&'a str, u32),
    /// Which of the silo's vectors these are.
    pub epoch: u64,
    /// The passages, in their order.
    pub chunks: &'a [NewChunk],
    /// What the document calls itself.
    pub title: Option<&'a str>,
    /// How many pages it has.
    pub pages: Option<u32>,
    /// The SHA-256 of its text.
    pub content_hash: [u8; 32],
    /// Whether it can be found from now on; not yet, if its vectors are still on their way elsewhere.
    pub ready: bool,
    /// When this is.
    pub now: Timestamp,
}

/// What became of passages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Written {
    /// They are there.
    Chunks {
        /// The document that they are of.
        document: DocumentId,
        /// Their numbers, in their order.
        chunks: Vec<ChunkId>,
    },
    /// The silo's vectors were made with this model by now.
    OtherModel(String),
    /// The silo was embedded anew meanwhile: these vectors are of a time that is over.
    OtherEpoch,
}

#[derive(QueryableByName)]
struct SiloRow {
    #[diesel(sql_type = Nullable<Text>)]
    embedding_model: Option<String>,
    #[diesel(sql_type = Nullable<BigInt>)]
    dimensions: Option<i64>,
    #[diesel(sql_type = BigInt)]
    epoch: i64,
}

#[derive(QueryableByName)]
struct NumberRow {
    #[diesel(sql_type = BigInt)]
    chunk_id: i64,
}

impl Store {
    /// Writes the passages of a document in place of those that it had, and the document with them where it is not there
    /// yet. Done twice with a document or a page, it comes to the same.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if the document, the page or its silo is gone.
    pub async fn replace_chunks(&self, grant: &Grant<Editor>, new: &NewChunks<'_>) -> Result<Written, StoreError> {
        let mut lent = self.lend(Sight::of(grant)).await?;
        lent.transaction(async |connection| {
            if let Some(refusal) = hold_silo(connection, grant, new).await? {
                return Ok(refusal);
            }
            let document = hold_home(connection, grant, new).await?;
            Statement::new("DELETE FROM chunks WHERE document_id = ").int(document.get()).execute(connection).await?;
            let mut numbers = Vec::with_capacity(new.chunks.len());
            for (batch, chunks) in new.chunks.chunks(AT_ONCE).enumerate() {
                numbers.extend(insert(connection, grant, (document, new), batch * AT_ONCE, chunks).await?);
            }
            let count = i64::try_from(numbers.len()).map_err(|_| StoreError::inconsistent("too many chunks"))?;
            let (status, error) = match new.home {
                _ if new.ready => (Some("ready"), None),
                // The end of its job says what became of it.
                Home::Document(_) => (None, None),
                Home::Text(_) | Home::Page { .. } => (Some("failed"), Some(ON_THE_WAY.to_owned())),
            };
            Statement::new("UPDATE documents SET status = coalesce(")
                .optional_text(status.map(str::to_owned))
                .sql(", status), error = ")
                .optional_text(error)
                .sql(", title = ")
                .optional_text(new.title.map(str::to_owned))
                .sql(", pages = ")
                .optional_int(new.pages.map(i64::from))
                .sql(", chunk_count = ")
                .int(count)
                .sql(", content_hash = ")
                .bytes(new.content_hash)
                .sql(", update_date = ")
                .moment(new.now)
                .sql(" WHERE document_id = ")
                .int(document.get())
                .execute(connection)
                .await?;
            Ok(Written::Chunks { document, chunks: numbers })
        })
        .await
    }

    /// Says that a document can be found, now that its vectors are where they belong.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if it is gone.
    pub async fn document_ready(
        &self,
        grant: &Grant<Editor>,
        document: DocumentId,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let changed = Statement::new("UPDATE documents SET status = 'ready', error = NULL, update_date = ")
            .moment(now)
            .sql(" WHERE app_id = ")
            .int(grant.app().get())
            .sql(" AND document_id = ")
            .int(document.get())
            .execute(&mut self.lend(Sight::of(grant)).await?)
            .await?;
        if changed == 0 { Err(StoreError::NotFound) } else { Ok(()) }
    }
}

#[derive(QueryableByName)]
struct OneRow {
    #[diesel(sql_type = diesel::sql_types::Integer)]
    #[expect(dead_code, reason = "that there is a row is all that matters")]
    one: i32,
}

/// The document that the passages are of, which nobody else changes before the transaction ends.
async fn hold_home(
    connection: &mut AsyncPgConnection,
    grant: &Grant<Editor>,
    new: &NewChunks<'_>,
) -> Result<DocumentId, StoreError> {
    match new.home {
        Home::Document(document) => {
            Statement::new("SELECT 1 AS one FROM documents WHERE app_id = ")
                .int(grant.app().get())
                .sql(" AND silo_id = ")
                .int(new.silo.get())
                .sql(" AND document_id = ")
                .int(document.get())
                .sql(" FOR UPDATE")
                .get_result::<OneRow>(connection)
                .await?;
            Ok(document)
        }
        Home::Text(text) => silo_documents::insert_text(connection, grant, new.silo, text, new.now).await,
        Home::Page { domain, page, text } => {
            let place = (domain, page, new.silo);
            crawled_pages::hold_document(connection, grant.app(), place, text, new.now).await
        }
    }
}

/// Keeps the silo from being embedded anew meanwhile, and has the first vectors say what it is embedded with. Those who bring
/// the first ones come one after the other: two that shared the row would both wait for it to write to it.
async fn hold_silo(
    connection: &mut AsyncPgConnection,
    grant: &Grant<Editor>,
    new: &NewChunks<'_>,
) -> Result<Option<Written>, StoreError> {
    let of_silo = |statement: Statement| {
        statement.sql(" WHERE app_id = ").int(grant.app().get()).sql(" AND silo_id = ").int(new.silo.get())
    };
    let reading = of_silo(Statement::new("SELECT embedding_model, dimensions, epoch FROM silos"));
    let embedded = reading.clone().sql(" AND embedding_model IS NOT NULL FOR SHARE");
    let mut silo = match embedded.get_result::<SiloRow>(connection).await.optional()? {
        Some(silo) => silo,
        None => {
            let silo = reading.clone().sql(" FOR NO KEY UPDATE").get_result::<SiloRow>(connection).await.optional()?;
            silo.ok_or(StoreError::NotFound)?
        }
    };
    let (model, dimensions) = new.model;
    if silo.embedding_model.is_none() {
        of_silo(
            Statement::new("UPDATE silos SET embedding_model = ").text(model).sql(", dimensions = ").int(dimensions),
        )
        .sql(" AND embedding_model IS NULL")
        .execute(connection)
        .await?;
        silo = reading.get_result(connection).await?;
    }
    if u64::try_from(silo.epoch).ok() != Some(new.epoch) {
        return Ok(Some(Written::OtherEpoch));
    }
    let known = silo.embedding_model.unwrap_or_default();
    let fits = known == model && silo.dimensions == Some(i64::from(dimensions));
    Ok((!fits).then_some(Written::OtherModel(known)))
}

async fn insert(
    connection: &mut AsyncPgConnection,
    grant: &Grant<Editor>,
    (document, new): (DocumentId, &NewChunks<'_>),
    first: usize,
    chunks: &[NewChunk],
) -> Result<Vec<ChunkId>, StoreError> {
    let number = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
    let place = |index: usize| i64::try_from(first + index).unwrap_or(i64::MAX);
    let column = |value: &dyn Fn(&NewChunk) -> i64| chunks.iter().map(value).collect::<Vec<_>>();
    // Headings have no separator of their own that could not stand in one, so they travel as JSON.
    let headings = |chunk: &NewChunk| serde_json::to_string(&chunk.headings).unwrap_or_else(|_| "[]".to_owned());
    let rows: Vec<NumberRow> = Statement::new("WITH new AS MATERIALIZED (SELECT nextval(")
        .sql("pg_get_serial_sequence('chunks', 'chunk_id')) AS chunk_id, n.* FROM (SELECT * FROM unnest(")
        .ints((0..chunks.len()).map(place).collect::<Vec<_>>())
        .sql(", ")
        .texts(chunks.iter().map(|chunk| chunk.content.clone()).collect::<Vec<_>>())
        .sql(", ")
        .optional_ints(chunks.iter().map(|chunk| chunk.page.map(i64::from)).collect::<Vec<_>>())
        .sql(", ")
        .texts(chunks.iter().map(headings).collect::<Vec<_>>())
        .sql(", ")
        .ints(column(&|chunk| number(chunk.start)))
        .sql(", ")
        .ints(column(&|chunk| number(chunk.end)))
        .sql(", ")
        .optional_texts(chunks.iter().map(|chunk| chunk.vector.as_deref().map(vector_text)).collect::<Vec<_>>())
        .sql(") AS u (ordinal, content, page, headings, start_at, end_at, embedding) ORDER BY ordinal) n), ")
        .sql("written AS (INSERT INTO chunks (chunk_id, app_id, silo_id, document_id, ordinal, content, page, headings, ")
        .sql("start_at, end_at) SELECT chunk_id, ")
        .int(grant.app().get())
        .sql(", ")
        .int(new.silo.get())
        .sql(", ")
        .int(document.get())
        .sql(", ordinal, content, page, ARRAY(SELECT jsonb_array_elements_text(headings::jsonb)), start_at, end_at FROM new ")
        .sql("RETURNING chunk_id), worded AS (INSERT INTO chunk_words (chunk_id, words) SELECT chunk_id, ")
        .sql("setweight(to_tsvector('simple', ")
        .text(new.title.unwrap_or_default())
        .sql(" || ' ' || array_to_string(ARRAY(SELECT jsonb_array_elements_text(headings::jsonb)), ' ')), 'B') ")
        .sql("|| to_tsvector('simple', content) || array_to_tsvector(ARRAY[")
        .text(silo_word(new.silo))
        .sql("]) FROM new WHERE EXISTS (SELECT FROM written)), ")
        .sql("placed AS (INSERT INTO chunk_vectors (silo_id, epoch, chunk_id, embedding) SELECT ")
        .int(new.silo.get())
        .sql(", ")
        .int(number(new.epoch))
        .sql(", chunk_id, embedding::halfvec FROM new WHERE embedding IS NOT NULL AND EXISTS (SELECT FROM written)) ")
        .sql("SELECT chunk_id FROM new ORDER BY ordinal")
        .load(connection)
        .await?;
    Ok(rows.into_iter().map(|row| ChunkId::new(row.chunk_id)).collect())
}

/// The word by which one index of words serves all silos: no text has it, for texts have no such character in a word.
pub(crate) fn silo_word(silo: SiloId) -> String {
    format!("\u{1}silo{silo}")
}

/// A vector as PostgreSQL reads it.
pub(crate) fn vector_text(vector: &[f32]) -> String {
    let mut text = String::with_capacity(vector.len() * 10 + 2);
    text.push('[');
    for (place, value) in vector.iter().enumerate() {
        if place > 0 {
            text.push(',');
        }
        text.push_str(&value.to_string());
    }
    text.push(']');
    text
}
