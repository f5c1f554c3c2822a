use serde::{Deserialize, Serialize};

use crate::{ChunkId, DocumentId};

/// A passage that an answer draws on, as it is cited: where it is, and every score that chose it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Citation {
    /// Its number in the answer, from 1.
    pub index: u32,
    /// The document.
    pub document_id: DocumentId,
    /// The passage. It may be gone by the time this is read.
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
    pub scores: CitationScores,
}

/// Every score that chose a passage.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct CitationScores {
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
    #[serde(default)]
    pub reranked: Option<f64>,
}
