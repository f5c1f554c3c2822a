use omni_domain::{ChunkId, Citation, DocumentId};
use serde::Serialize;
use utoipa::ToSchema;

/// A passage that an answer draws on.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct CitationResponse {
    /// Its number in the answer, from 1.
    pub index: u32,
    /// The document.
    #[schema(value_type = i64)]
    pub document_id: DocumentId,
    /// The passage.
    #[schema(value_type = i64)]
    pub chunk_id: ChunkId,
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
    /// The beginning of what it says.
    pub quote: String,
    /// What the passages were ordered by.
    pub score: f64,
    /// How that score came about.
    pub scores: ScoresResponse,
}

/// Every score that chose a passage.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
pub struct ScoresResponse {
    /// Its cosine similarity to the question, from -1 to 1.
    pub similarity: Option<f64>,
    /// Its place among the nearest vectors, from 1.
    pub vector_rank: Option<u32>,
    /// How well its words fit.
    pub text_score: Option<f64>,
    /// Its place among those with the words, from 1.
    pub text_rank: Option<u32>,
    /// Its places, fused.
    pub fused: Option<f64>,
    /// How well it answers, as the reranker says; only scores of one reranker can be compared.
    pub reranked: Option<f64>,
}

impl From<&Citation> for CitationResponse {
    fn from(citation: &Citation) -> Self {
        let scores = citation.scores;
        Self {
            index: citation.index,
            document_id: citation.document_id,
            chunk_id: citation.chunk_id,
            name: citation.name.clone(),
            title: citation.title.clone(),
            url: citation.url.clone(),
            page: citation.page,
            headings: citation.headings.clone(),
            start: citation.start,
            end: citation.end,
            quote: citation.quote.clone(),
            score: citation.score,
            scores: ScoresResponse {
                similarity: scores.similarity,
                vector_rank: scores.vector_rank,
                text_score: scores.text_score,
                text_rank: scores.text_rank,
                fused: scores.fused,
                reranked: scores.reranked,
            },
        }
    }
}

/// What was looked up for a turn.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct RetrievalResponse {
    /// The silo.
    pub silo_id: Option<i64>,
    /// The question as it was looked up.
    pub query: String,
    /// What was found, best first.
    pub citations: Vec<CitationResponse>,
}
