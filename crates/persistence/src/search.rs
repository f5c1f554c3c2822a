//! Finding passages: by vectors, by words, always in one silo of one app.

use diesel::QueryableByName;
use diesel::prelude::OptionalExtension;
use diesel::sql_types::{Array, BigInt, Double, Jsonb, Nullable, Text};
use diesel_async::RunQueryDsl;
use omni_domain::{ChunkId, Comparison, DocumentId, MetadataFilter, MetadataTest, MetadataValue, Quantity, SiloId};
use omni_rbac::{Grant, Viewer};
use serde_json::Value;

use crate::app_scoped::{count, optional_small};
use crate::chunks::{silo_word, vector_text};
use crate::connection::Sight;
use crate::statement::Statement;
use crate::{Store, StoreError};

/// How many passages with the words are weighed at most. Each word has its share, so that what has a rare one is not lost
/// among what has a common one.
const MOST_WEIGHED: i64 = 5_000;
/// What each connection is told once, so that no search has to: how far the graph of an index is walked at first, and that it
/// is walked on until enough is found that passes.
pub(crate) const SETTINGS: &str = "SET hnsw.ef_search = 200; SET hnsw.iterative_scan = relaxed_order";

/// What is looked for.
#[derive(Debug, Clone)]
pub struct Wanted<'a> {
    /// In which silo.
    pub silo: SiloId,
    /// Only documents whose metadata say so.
    pub filter: Option<&'a MetadataFilter>,
    /// At most so many.
    pub most: u32,
}

/// A passage that was found, and how well it fits: of vectors the cosine distance, of words the rank.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Candidate {
    /// The passage.
    pub chunk: ChunkId,
    /// How well it fits.
    pub score: f64,
}

/// A passage as it can be read and cited.
#[derive(Debug, Clone, PartialEq)]
pub struct Passage {
    /// The passage.
    pub chunk: ChunkId,
    /// The document that it is from.
    pub document: DocumentId,
    /// What the client or the site calls the document.
    pub name: String,
    /// What the document calls itself.
    pub title: Option<String>,
    /// Where it is from, if that is an address.
    pub url: Option<String>,
    /// The page that it is on.
    pub page: Option<u32>,
    /// The headings above it.
    pub headings: Vec<String>,
    /// Where it begins in the document's text, in characters.
    pub start: u64,
    /// Where it ends.
    pub end: u64,
    /// What it says.
    pub content: String,
    /// What is known of the document.
    pub metadata: Value,
}

#[derive(QueryableByName)]
struct CandidateRow {
    #[diesel(sql_type = BigInt)]
    chunk_id: i64,
    #[diesel(sql_type = Double)]
    score: f64,
}

#[derive(QueryableByName)]
struct PassageRow {
    #[diesel(sql_type = BigInt)]
    chunk_id: i64,
    #[diesel(sql_type = BigInt)]
    document_id: i64,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Nullable<Text>)]
    title: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    url: Option<String>,
    #[diesel(sql_type = Nullable<BigInt>)]
    page: Option<i64>,
    #[diesel(sql_type = Array<Text>)]
    headings: Vec<String>,
    #[diesel(sql_type = BigInt)]
    start_at: i64,
    #[diesel(sql_type = BigInt)]
    end_at: i64,
    #[diesel(sql_type = Text)]
    content: String,
    #[diesel(sql_type = Jsonb)]
    metadata: Value,
}

#[derive(QueryableByName)]
struct VectorRow {
    #[diesel(sql_type = BigInt)]
    chunk_id: i64,
    #[diesel(sql_type = Text)]
    embedding: String,
}

#[derive(QueryableByName)]
struct CountRow {
    #[diesel(sql_type = BigInt)]
    rows: i64,
}

impl TryFrom<PassageRow> for Passage {
    type Error = StoreError;

    fn try_from(row: PassageRow) -> Result<Self, StoreError> {
        Ok(Self {
            chunk: ChunkId::new(row.chunk_id),
            document: DocumentId::new(row.document_id),
            name: row.name,
            title: row.title,
            url: row.url,
            page: optional_small(row.page)?,
            headings: row.headings,
            start: count(row.start_at)?,
            end: count(row.end_at)?,
            content: row.content,
            metadata: row.metadata,
        })
    }
}

impl From<CandidateRow> for Candidate {
    fn from(row: CandidateRow) -> Self {
        Self { chunk: ChunkId::new(row.chunk_id), score: row.score }
    }
}

impl Store {
    /// The passages whose vectors are nearest to `vector`, nearest first, with their cosine distances. Small silos are
    /// searched exactly; for a large one there is an index by then, which is walked until enough is found that passes.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the server is away.
    pub async fn nearest(
        &self,
        grant: &Grant<Viewer>,
        wanted: &Wanted<'_>,
        epoch: u64,
        vector: &[f32],
    ) -> Result<Vec<Candidate>, StoreError> {
        let (app, silo, dimensions) = (grant.app().get(), wanted.silo.get(), vector.len());
        // The numbers stand in the text, so that PostgreSQL knows which index holds just this silo; nothing else does.
        let sql = format!(
            "SELECT v.chunk_id, (v.embedding::halfvec({dimensions}) <=> $1::halfvec({dimensions}))::float8 AS score \
             FROM chunk_vectors v WHERE v.silo_id = {silo} AND v.epoch = {epoch} \
             AND EXISTS (SELECT FROM silos s WHERE s.silo_id = {silo} AND s.app_id = {app}){} \
             ORDER BY v.embedding::halfvec({dimensions}) <=> $1::halfvec({dimensions}) LIMIT {}",
            if wanted.filter.is_some() {
                " AND v.chunk_id IN (SELECT c.chunk_id FROM chunks c WHERE c.document_id = ANY($2))"
            } else {
                ""
            },
            wanted.most
        );
        let passing = match wanted.filter {
            Some(filter) => Some(self.passing(grant, wanted.silo, filter).await?),
            None => None,
        };
        let mut lent = self.lend(Sight::of(grant)).await?;
        let query = diesel::sql_query(sql).bind::<Text, _>(vector_text(vector));
        let rows: Vec<CandidateRow> = match passing {
            Some(documents) => query.bind::<Array<BigInt>, _>(documents).load(&mut lent).await?,
            None => query.load(&mut lent).await?,
        };
        let mut found: Vec<Candidate> = rows.into_iter().map(Candidate::from).collect();
        // The relaxed order of an index is nearly that.
        found.sort_by(|one, other| one.score.total_cmp(&other.score));
        Ok(found)
    }

    /// The documents of a silo whose metadata pass a filter.
    async fn passing(
        &self,
        grant: &Grant<Viewer>,
        silo: SiloId,
        filter: &MetadataFilter,
    ) -> Result<Vec<i64>, StoreError> {
        #[derive(QueryableByName)]
        struct Row {
            #[diesel(sql_type = BigInt)]
            document_id: i64,
        }
        let rows: Vec<Row> = filtered(of_silo(Statement::new("SELECT d.document_id"), grant, silo), filter)
            .load(&mut self.lend(Sight::of(grant)).await?)
            .await?;
        Ok(rows.into_iter().map(|row| row.document_id).collect())
    }

    /// The passages that have any of these words, those first that have more, rarer and nearer ones, with their ranks. The
    /// words must be letters and digits.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the server is away.
    pub async fn with_words(
        &self,
        grant: &Grant<Viewer>,
        wanted: &Wanted<'_>,
        words: &[String],
    ) -> Result<Vec<Candidate>, StoreError> {
        if words.is_empty() {
            return Ok(Vec::new());
        }
        let quoted = |word: &str| format!("'{}'", word.replace(['\'', '\\'], ""));
        let silo = quoted(&silo_word(wanted.silo));
        let each: Vec<String> = words.iter().map(|word| quoted(word)).collect();
        let any = each.join(" | ");
        // Those that have all of the words have a share of their own.
        let all = (each.len() > 1).then(|| each.join(" & "));
        let asked: Vec<String> = each.into_iter().chain(all).map(|words| format!("{silo} & {words}")).collect();
        let share = MOST_WEIGHED / i64::try_from(asked.len()).unwrap_or(MOST_WEIGHED);
        let statement = Statement::new("SELECT m.chunk_id, ts_rank_cd(m.words, ")
            .text(any)
            .sql("::tsquery, 1)::float8 AS score FROM (SELECT DISTINCT h.chunk_id FROM unnest(")
            .texts(asked)
            .sql(") AS q (words) CROSS JOIN LATERAL (SELECT w.chunk_id FROM chunk_words w WHERE w.words @@ q.words::tsquery LIMIT ")
            .int(share)
            .sql(") h) f JOIN chunk_words m ON m.chunk_id = f.chunk_id JOIN chunks c ON c.chunk_id = m.chunk_id AND c.app_id = ")
            .int(grant.app().get())
            .sql(" AND c.silo_id = ")
            .int(wanted.silo.get());
        let statement = match wanted.filter {
            Some(filter) => {
                filtered(statement.sql(" JOIN documents d ON d.document_id = c.document_id WHERE true"), filter)
            }
            None => statement,
        };
        let rows: Vec<CandidateRow> = statement
            .sql(" ORDER BY score DESC, m.chunk_id LIMIT ")
            .int(wanted.most)
            .load(&mut self.lend(Sight::of(grant)).await?)
            .await?;
        Ok(rows.into_iter().map(Candidate::from).collect())
    }

    /// These passages, as far as they are of the silo and of the grant's app, in no order.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the server is away.
    pub async fn passages(
        &self,
        grant: &Grant<Viewer>,
        silo: SiloId,
        chunks: &[ChunkId],
    ) -> Result<Vec<Passage>, StoreError> {
        let rows: Vec<PassageRow> = Statement::new("SELECT c.chunk_id, c.document_id, d.name, d.title, d.url, c.page, c.headings, ")
            .sql("c.start_at, c.end_at, c.content, d.metadata FROM chunks c JOIN documents d ON d.document_id = c.document_id ")
            .sql("WHERE c.app_id = ")
            .int(grant.app().get())
            .sql(" AND c.silo_id = ")
            .int(silo.get())
            .sql(" AND c.chunk_id = ANY(")
            .ints(chunks.iter().map(|chunk| chunk.get()).collect::<Vec<_>>())
            .sql(")")
            .load(&mut self.lend(Sight::of(grant)).await?)
            .await?;
        rows.into_iter().map(Passage::try_from).collect()
    }

    /// The vectors of these passages, as far as PostgreSQL keeps them.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the server is away.
    pub async fn vectors(
        &self,
        grant: &Grant<Viewer>,
        silo: SiloId,
        epoch: u64,
        chunks: &[ChunkId],
    ) -> Result<Vec<(ChunkId, Vec<f32>)>, StoreError> {
        let rows: Vec<VectorRow> =
            Statement::new("SELECT v.chunk_id, v.embedding::text AS embedding FROM chunk_vectors v ")
                .sql("JOIN chunks c ON c.chunk_id = v.chunk_id AND c.app_id = ")
                .int(grant.app().get())
                .sql(" WHERE v.silo_id = ")
                .int(silo.get())
                .sql(" AND v.epoch = ")
                .int(i64::try_from(epoch).unwrap_or(i64::MAX))
                .sql(" AND v.chunk_id = ANY(")
                .ints(chunks.iter().map(|chunk| chunk.get()).collect::<Vec<_>>())
                .sql(")")
                .load(&mut self.lend(Sight::of(grant)).await?)
                .await?;
        Ok(rows.into_iter().map(|row| (ChunkId::new(row.chunk_id), read_vector(&row.embedding))).collect())
    }

    /// How many documents of a silo there are, or pass a filter.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the server is away.
    pub async fn count_documents(
        &self,
        grant: &Grant<Viewer>,
        silo: SiloId,
        filter: Option<&MetadataFilter>,
    ) -> Result<u64, StoreError> {
        let counting = of_silo(Statement::new("SELECT count(*) AS rows"), grant, silo);
        let counting = match filter {
            Some(filter) => filtered(counting, filter),
            None => counting,
        };
        let row: Option<CountRow> = counting.get_result(&mut self.lend(Sight::of(grant)).await?).await.optional()?;
        count(row.map_or(0, |row| row.rows))
    }
}

/// The documents of a silo, after the `SELECT`.
fn of_silo(statement: Statement, grant: &Grant<Viewer>, silo: SiloId) -> Statement {
    statement.sql(" FROM documents d WHERE d.app_id = ").int(grant.app().get()).sql(" AND d.silo_id = ").int(silo.get())
}

/// Only documents `d` that pass: every value is bound, and of a name there is nothing but letters, digits, `_` and `-`.
pub(crate) fn filtered(statement: Statement, filter: &MetadataFilter) -> Statement {
    filter.conditions().iter().fold(statement, |statement, condition| {
        let name = condition.field.as_str();
        match &condition.test {
            MetadataTest::Equal(value) => any_of(statement.sql(" AND "), name, std::slice::from_ref(value)),
            MetadataTest::NotEqual(value) => any_of(statement.sql(" AND NOT "), name, std::slice::from_ref(value)),
            MetadataTest::In(values) => any_of(statement.sql(" AND "), name, values),
            MetadataTest::Compare(comparison, bound) => compare(statement.sql(" AND "), name, *comparison, *bound),
        }
    })
}

/// Whether the field, or one of the values of its list, equals one of these.
fn any_of(statement: Statement, name: &str, values: &[MetadataValue]) -> Statement {
    let statement = elements(statement, name);
    let last = values.len().saturating_sub(1);
    let statement = values.iter().enumerate().fold(statement, |statement, (place, value)| {
        let statement = match value {
            MetadataValue::Text(text) => {
                statement.sql("(jsonb_typeof(e) = 'string' AND e #>> '{}' = ").text(text.as_str()).sql(")")
            }
            MetadataValue::Boolean(value) => statement.sql("e = to_jsonb(").boolean(*value).sql(")"),
            MetadataValue::Quantity(quantity) => against(statement, " = ", *quantity),
        };
        if place == last { statement } else { statement.sql(" OR ") }
    });
    statement.sql(")")
}

fn compare(statement: Statement, name: &str, comparison: Comparison, bound: Quantity) -> Statement {
    let sign = match comparison {
        Comparison::Greater => " > ",
        Comparison::GreaterOrEqual => " >= ",
        Comparison::Less => " < ",
        Comparison::LessOrEqual => " <= ",
    };
    against(elements(statement, name), sign, bound).sql(")")
}

/// Begins a look at the value of a field, or at each of those in its list.
fn elements(statement: Statement, name: &str) -> Statement {
    statement
        .sql("EXISTS (SELECT FROM jsonb_array_elements(CASE jsonb_typeof(d.metadata -> ")
        .text(name)
        .sql(") WHEN 'array' THEN d.metadata -> ")
        .text(name)
        .sql(" ELSE jsonb_build_array(d.metadata -> ")
        .text(name)
        .sql(") END) AS e WHERE ")
}

/// A number is compared as a double, a date as a moment; what is neither lies nowhere.
fn against(statement: Statement, sign: &'static str, quantity: Quantity) -> Statement {
    match quantity {
        Quantity::Number(number) => statement
            .sql("(CASE WHEN jsonb_typeof(e) = 'number' THEN (e #>> '{}')::float8 END")
            .sql(sign)
            .text(number.to_string())
            .sql("::float8)"),
        Quantity::Date(moment) => statement
            .sql("(CASE WHEN jsonb_typeof(e) = 'string' AND e #>> '{}' ~ '^\\d{4}-\\d\\d-\\d\\d([Tt ].*)?$' ")
            .sql("AND pg_input_is_valid(e #>> '{}', 'timestamptz') ")
            .sql("THEN ((e #>> '{}') || CASE WHEN length(e #>> '{}') = 10 THEN 'T00:00:00Z' ELSE '' END)::timestamptz END")
            .sql(sign)
            .moment(moment)
            .sql(")"),
    }
}

fn read_vector(text: &str) -> Vec<f32> {
    text.trim_matches(['[', ']']).split(',').filter_map(|value| value.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vector_is_read_as_it_was_written() {
        let vector = [0.5, -1.25, 3.0e-5];
        assert_eq!(read_vector(&vector_text(&vector)), vector);
        assert_eq!(vector_text(&[]), "[]");
    }
}
