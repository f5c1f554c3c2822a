use omni_domain::{ChunkId, DocumentId, EmbeddingServiceId};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::citations::ScoresResponse;

/// What is looked for in a silo.
#[derive(Debug, Clone, Deserialize, ToSchema)]
pub struct SearchRequest {
    /// What is asked.
    #[schema(max_length = 200_000)]
    pub query: String,
    /// How many passages are wanted; the silo's `retrieval_count` unless said otherwise.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 200)]
    pub limit: Option<u32>,
    /// `hybrid` (vectors and words, fused; the default), `similarity`, `similarity_score_threshold` or `mmr`.
    #[serde(default)]
    pub search_type: Option<String>,
    /// The lowest similarity, from -1 to 1; with `similarity_score_threshold` only.
    #[serde(default)]
    pub score_threshold: Option<f64>,
    /// From how many of the nearest `mmr` chooses; four times the limit unless said otherwise.
    #[serde(default)]
    pub fetch_k: Option<u32>,
    /// How much nearness counts against novelty in `mmr`, from 0 to 1; 0.5 unless said otherwise.
    #[serde(default)]
    pub lambda_mult: Option<f64>,
    /// Only documents whose metadata say so: `{"year": {"$gte": 2020}, "language": "en"}`, with `$eq`, `$ne`, `$gt`, `$gte`,
    /// `$lt`, `$lte` and `$in`.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub filter_metadata: Option<Value>,
}

/// What was found.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SearchResponse {
    /// What was asked.
    pub query: String,
    /// The passages, best first.
    pub results: Vec<SearchResult>,
    /// How many there are.
    pub total_results: usize,
}

/// A passage that was found.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SearchResult {
    /// What it says.
    pub page_content: String,
    /// What it was ordered by.
    pub score: f64,
    /// How that score came about.
    pub scores: ScoresResponse,
    /// The passage.
    #[schema(value_type = i64)]
    pub chunk_id: ChunkId,
    /// The document.
    #[schema(value_type = i64)]
    pub document_id: DocumentId,
    /// What the client or the site calls the document.
    pub name: String,
    /// What the document calls itself.
    pub title: Option<String>,
    /// Where the document is from, if that is an address.
    pub url: Option<String>,
    /// The page that the passage is on, from 1.
    pub page: Option<u32>,
    /// The headings above it, the outermost first.
    pub headings: Vec<String>,
    /// Where it begins in the document's text, in characters.
    pub start: u64,
    /// Where it ends.
    pub end: u64,
    /// What is known of the document.
    #[schema(value_type = Object)]
    pub metadata: Value,
}

/// Which documents of a silo are meant.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
pub struct DocumentsRequest {
    /// Those whose metadata say so, as in a search.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub filter_metadata: Option<Value>,
    /// Those with these numbers.
    #[serde(default)]
    #[schema(value_type = Option<Vec<i64>>)]
    pub document_ids: Option<Vec<DocumentId>>,
}

/// How many documents there are.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
pub struct DocumentCountResponse {
    /// How many.
    pub count: u64,
}

/// A text to be found.
#[derive(Debug, Clone, Deserialize, ToSchema)]
pub struct IndexTextRequest {
    /// What it is called.
    #[schema(max_length = 255)]
    pub name: String,
    /// What it says.
    pub text: String,
    /// Where it is from, if that is an address.
    #[serde(default)]
    #[schema(max_length = 2048)]
    pub url: Option<String>,
    /// What is known of it, for filters: texts, numbers, booleans, or lists of them.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub metadata: Option<Map<String, Value>>,
}

/// A text that can be found.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
pub struct IndexedTextResponse {
    /// The document.
    #[schema(value_type = i64)]
    pub document_id: DocumentId,
    /// How many passages it was cut into.
    pub chunk_count: u64,
}

/// How a silo is embedded anew.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
pub struct EmbedSiloRequest {
    /// What embeds its texts from then on; `null` or left out, the model that is built in.
    #[serde(default)]
    #[schema(value_type = Option<i64>)]
    pub embedding_service_id: Option<EmbeddingServiceId>,
}
