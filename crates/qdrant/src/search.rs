use omni_domain::{ChunkId, DocumentId};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::point::WireId;
use crate::{Collection, Filter, PointId, QdrantError, Tenant};

/// The most hits of one search.
const MOST_HITS: u32 = 1_000;
/// How many candidates the server keeps while it walks a graph: more find better and take longer.
const CANDIDATES: u32 = 128;

/// The question which points are nearest.
#[derive(Debug, Clone, PartialEq)]
pub struct Search {
    /// The vector to be near to.
    pub vector: Vec<f32>,
    /// Which points count.
    pub filter: Filter,
    /// How many are wanted: 1 to 1000.
    pub limit: u32,
    /// The lowest similarity that counts, from -1 to 1.
    pub score_threshold: Option<f32>,
    /// Whether their vectors are wanted, too: to choose among them by maximal marginal relevance, for one.
    pub with_vectors: bool,
}

/// A point that was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    /// Its name.
    pub id: PointId,
    /// Its cosine similarity, from -1 to 1.
    pub score: f32,
    /// The document that the chunk is of.
    pub document: DocumentId,
    /// The chunk.
    pub chunk: ChunkId,
    /// Its metadata, as it was stored.
    pub metadata: Map<String, Value>,
    /// Its vector, scaled to length 1, if it was wanted.
    pub vector: Option<Vec<f32>>,
}

impl Search {
    pub(crate) fn on_the_wire(&self, collection: &Collection) -> Result<Value, QdrantError> {
        if !(1..=MOST_HITS).contains(&self.limit) {
            return Err(QdrantError::Invalid { field: "limit", problem: "must be 1 to 1000" });
        }
        if self.score_threshold.is_some_and(|threshold| !threshold.is_finite()) {
            return Err(QdrantError::Invalid { field: "score_threshold", problem: "must be a number from -1 to 1" });
        }
        let mut body = json!({
            "query": collection.checked(&self.vector)?,
            "filter": self.filter,
            "params": { "hnsw_ef": CANDIDATES },
            "limit": self.limit,
            "with_payload": true,
            "with_vector": self.with_vectors,
        });
        if let (Some(threshold), Some(body)) = (self.score_threshold, body.as_object_mut()) {
            body.insert("score_threshold".to_owned(), threshold.into());
        }
        Ok(body)
    }

    /// Reads what the server found, and trusts it no further than it must.
    pub(crate) fn hits(&self, found: Found) -> Result<Vec<Hit>, QdrantError> {
        if u64::try_from(found.points.len()).unwrap_or(u64::MAX) > u64::from(self.limit) {
            return Err(QdrantError::malformed("it found more than was asked for"));
        }
        found.points.into_iter().map(|point| point.hit(self)).collect()
    }
}

/// The `result` of a query.
#[derive(Deserialize)]
pub(crate) struct Found {
    points: Vec<ScoredPoint>,
}

#[derive(Deserialize)]
struct ScoredPoint {
    id: WireId,
    score: f32,
    payload: Payload,
    vector: Option<Vec<f32>>,
}

#[derive(Deserialize)]
struct Payload {
    app: String,
    silo: String,
    document: String,
    chunk: ChunkId,
    #[serde(default)]
    metadata: Map<String, Value>,
}

impl ScoredPoint {
    fn hit(self, search: &Search) -> Result<Hit, QdrantError> {
        let payload = self.payload;
        if !payload.is_of(search.filter.tenant()) {
            return Err(QdrantError::malformed("it found what belongs to somebody else"));
        }
        let vector = self.vector.filter(|_| search.with_vectors);
        if search.with_vectors && vector.as_ref().is_none_or(|vector| vector.len() != search.vector.len()) {
            return Err(QdrantError::malformed("a point has not the vector that was asked for"));
        }
        Ok(Hit {
            id: self.id.try_into()?,
            score: self.score,
            document: payload.document.parse().map_err(|_| QdrantError::malformed("a point has no document"))?,
            chunk: payload.chunk,
            metadata: payload.metadata,
            vector,
        })
    }
}

impl Payload {
    fn is_of(&self, tenant: Tenant) -> bool {
        self.app == tenant.app.to_string() && self.silo == tenant.silo.to_string()
    }
}
