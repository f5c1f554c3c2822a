//! Finding passages: by vectors, by words, or by both, fused.

use std::collections::HashMap;

use omni_domain::{ChunkId, Invalid, MetadataFilter, SiloId, Text, VectorDbType, required_text};
use omni_persistence::{Candidate, EmbeddedSilo, Passage, Wanted};
use omni_qdrant::{Filter, Search as PointSearch, Tenant};
use omni_rbac::{Grant, Viewer};

use crate::fusion::fuse;
use crate::index::collection;
use crate::words::words_of;
use crate::{Knowledge, KnowledgeError, diversity};

/// The most passages of one search.
pub const MOST_HITS: u32 = 200;
/// How many candidates each way of searching brings to be fused, at least.
const CANDIDATES: u32 = 50;
/// From how many of the nearest a diverse choice is made, at most.
const MOST_FETCHED: u32 = 1_000;

/// A way of searching.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Method {
    /// The nearest vectors.
    Similarity,
    /// The nearest vectors whose cosine similarity is at least this.
    Threshold(f64),
    /// Of the nearest vectors those that say something new: maximal marginal relevance (Carbonell and Goldstein, 1998).
    Diverse {
        /// From how many of the nearest they are chosen; four times as many as are wanted if nobody says.
        fetch: Option<u32>,
        /// How much nearness counts against novelty, from 0 to 1.
        lambda: f64,
    },
    /// Vectors and words, their ranks fused.
    Hybrid,
}

/// What is looked for in a silo.
#[derive(Debug, Clone)]
pub struct Query<'a> {
    /// What is asked.
    pub text: &'a str,
    /// How it is searched.
    pub method: Method,
    /// How many passages are wanted; as many as the silo gives for a question if nobody says.
    pub limit: Option<u32>,
    /// Only documents whose metadata say so.
    pub filter: Option<&'a MetadataFilter>,
}

/// Every score that chose a passage.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Scores {
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

/// A passage whose vector is near to a question's.
#[derive(Debug)]
pub(crate) struct Near {
    /// The passage.
    pub(crate) chunk: ChunkId,
    /// Its cosine similarity, from -1 to 1.
    pub(crate) similarity: f64,
    /// Its place, from 1.
    pub(crate) rank: u32,
    /// Its vector, if it was wanted and is still there.
    pub(crate) vector: Option<Vec<f32>>,
}

impl Near {
    fn into_scored(self) -> (ChunkId, Scores) {
        let (similarity, vector_rank) = (Some(self.similarity), Some(self.rank));
        (self.chunk, Scores { similarity, vector_rank, ..Scores::default() })
    }
}

/// What becomes of the vectors of what is near.
#[derive(Debug, Clone, Copy)]
enum Vectors {
    /// They stay where they are.
    Left,
    /// They come with it, to be compared with each other.
    Brought,
}

/// A passage that was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    /// The passage.
    pub passage: Passage,
    /// What it is ordered by: what the reranker says, or the fused score, or the similarity.
    pub score: f64,
    /// How that came about.
    pub scores: Scores,
}

impl Knowledge {
    /// The passages of a silo that answer a question best, best first.
    ///
    /// # Errors
    /// If the question breaks a rule, the silo is not the app's, or the embedding service fails.
    pub async fn search(
        &self,
        grant: &Grant<Viewer>,
        silo: SiloId,
        query: &Query<'_>,
    ) -> Result<Vec<Hit>, KnowledgeError> {
        let text = required_text("query", query.text, Text::Message)?;
        check(query)?;
        let embedded = self.parts.store.embedded_silo(grant, silo).await?;
        if embedded.silo.embedded_with.is_none() {
            return Ok(Vec::new());
        }
        let settings = embedded.silo.settings;
        let limit = query.limit.unwrap_or(settings.retrieval_count);
        // Variety is not what a reranker knows of.
        let reranker = settings.reranking_service.filter(|_| !matches!(query.method, Method::Diverse { .. }));
        let most = if reranker.is_some() { limit.max(CANDIDATES) } else { limit };
        let scored = self.scored(grant, &embedded, query, &text, most).await?;
        let hits = self.passages_of(grant, silo, scored).await?;
        match reranker {
            Some(reranker) => {
                let limit = usize::try_from(limit).unwrap_or(usize::MAX);
                Ok(self.in_order(grant, reranker, &text, hits, limit).await)
            }
            None => Ok(hits),
        }
    }

    /// The `most` best passages by vectors and words.
    async fn scored(
        &self,
        grant: &Grant<Viewer>,
        embedded: &EmbeddedSilo,
        query: &Query<'_>,
        text: &str,
        most: u32,
    ) -> Result<Vec<(ChunkId, Scores)>, KnowledgeError> {
        match query.method {
            Method::Similarity => self.by_vector(grant, embedded, query, text, most).await,
            Method::Threshold(least) => {
                let near = self.by_vector(grant, embedded, query, text, most).await?;
                let close = |scores: &Scores| scores.similarity.is_some_and(|found| found >= least);
                Ok(near.into_iter().filter(|(_, scores)| close(scores)).collect())
            }
            Method::Diverse { fetch, lambda } => {
                let fetch = fetch.unwrap_or_else(|| most.saturating_mul(4).min(MOST_FETCHED)).max(most);
                let near = self.nearest(grant, embedded, query.filter, text, fetch, Vectors::Brought).await?;
                let limit = usize::try_from(most).unwrap_or(usize::MAX);
                // Hundreds of thousands of comparisons: too long to keep a thread from its other requests.
                let choosing = tokio::task::spawn_blocking(move || diversity::choose(near, limit, lambda));
                let chosen = choosing.await.map_err(|error| KnowledgeError::Defect(error.into()))?;
                Ok(chosen.into_iter().map(Near::into_scored).collect())
            }
            Method::Hybrid => {
                let wide = most.max(CANDIDATES);
                let (near, worded) = futures::try_join!(
                    self.by_vector(grant, embedded, query, text, wide),
                    self.by_words(grant, embedded, query, text, wide),
                )?;
                Ok(fuse(near, worded, most))
            }
        }
    }

    async fn by_vector(
        &self,
        grant: &Grant<Viewer>,
        embedded: &EmbeddedSilo,
        query: &Query<'_>,
        text: &str,
        most: u32,
    ) -> Result<Vec<(ChunkId, Scores)>, KnowledgeError> {
        let near = self.nearest(grant, embedded, query.filter, text, most, Vectors::Left).await?;
        Ok(near.into_iter().map(Near::into_scored).collect())
    }

    /// The passages whose vectors are nearest to the question's, nearest first.
    async fn nearest(
        &self,
        grant: &Grant<Viewer>,
        embedded: &EmbeddedSilo,
        filter: Option<&MetadataFilter>,
        text: &str,
        most: u32,
        vectors: Vectors,
    ) -> Result<Vec<Near>, KnowledgeError> {
        let model = self.embedder(embedded)?;
        let question = self.embed_question(&embedded.silo, &model, text).await?;
        match embedded.silo.settings.vector_db {
            VectorDbType::PgVector => self.nearest_rows(grant, embedded, filter, &question, most, vectors).await,
            VectorDbType::Qdrant => self.nearest_points(grant, embedded, filter, question, most, vectors).await,
        }
    }

    async fn nearest_rows(
        &self,
        grant: &Grant<Viewer>,
        embedded: &EmbeddedSilo,
        filter: Option<&MetadataFilter>,
        question: &[f32],
        most: u32,
        vectors: Vectors,
    ) -> Result<Vec<Near>, KnowledgeError> {
        let (silo, epoch) = (embedded.silo.id, embedded.silo.epoch);
        let found = self.parts.store.nearest(grant, &Wanted { silo, filter, most }, epoch, question).await?;
        let mut brought: HashMap<ChunkId, Vec<f32>> = match vectors {
            Vectors::Left => HashMap::new(),
            Vectors::Brought => {
                let chunks: Vec<ChunkId> = found.iter().map(|found| found.chunk).collect();
                self.parts.store.vectors(grant, silo, epoch, &chunks).await?.into_iter().collect()
            }
        };
        let near = found.into_iter().zip(1..).map(|(Candidate { chunk, score }, rank)| {
            // What PostgreSQL says is how far it is.
            Near { chunk, similarity: 1.0 - score, rank, vector: brought.remove(&chunk) }
        });
        Ok(near.collect())
    }

    async fn nearest_points(
        &self,
        grant: &Grant<Viewer>,
        embedded: &EmbeddedSilo,
        filter: Option<&MetadataFilter>,
        question: Vec<f32>,
        most: u32,
        vectors: Vectors,
    ) -> Result<Vec<Near>, KnowledgeError> {
        let qdrant = self.parts.qdrant.as_ref().ok_or(KnowledgeError::NoQdrant)?;
        let Some((model, dimensions)) = &embedded.silo.embedded_with else { return Ok(Vec::new()) };
        let everything = Filter::everything_of(Tenant { app: grant.app(), silo: embedded.silo.id });
        let filter = match filter {
            Some(filter) => everything.metadata(filter),
            None => everything,
        };
        let with_vectors = matches!(vectors, Vectors::Brought);
        let search = PointSearch { vector: question, filter, limit: most, score_threshold: None, with_vectors };
        let hits = qdrant.search(&collection(model, *dimensions)?, &search).await?;
        let near = hits.into_iter().zip(1..).map(|(hit, rank)| Near {
            chunk: hit.chunk,
            similarity: f64::from(hit.score),
            rank,
            vector: hit.vector,
        });
        Ok(near.collect())
    }

    async fn by_words(
        &self,
        grant: &Grant<Viewer>,
        embedded: &EmbeddedSilo,
        query: &Query<'_>,
        text: &str,
        most: u32,
    ) -> Result<Vec<Candidate>, KnowledgeError> {
        let wanted = Wanted { silo: embedded.silo.id, filter: query.filter, most };
        Ok(self.parts.store.with_words(grant, &wanted, &words_of(text)).await?)
    }

    /// Reads the passages; one that has gone meanwhile is left out.
    async fn passages_of(
        &self,
        grant: &Grant<Viewer>,
        silo: SiloId,
        scored: Vec<(ChunkId, Scores)>,
    ) -> Result<Vec<Hit>, KnowledgeError> {
        let chunks: Vec<ChunkId> = scored.iter().map(|(chunk, _)| *chunk).collect();
        let read = self.parts.store.passages(grant, silo, &chunks).await?;
        let mut passages: HashMap<ChunkId, Passage> =
            read.into_iter().map(|passage| (passage.chunk, passage)).collect();
        let hits = scored.into_iter().filter_map(|(chunk, scores)| {
            let passage = passages.remove(&chunk)?;
            Some(Hit { passage, score: scores.fused.or(scores.similarity).unwrap_or_default(), scores })
        });
        Ok(hits.collect())
    }
}

fn check(query: &Query<'_>) -> Result<(), Invalid> {
    if query.limit.is_some_and(|limit| !(1..=MOST_HITS).contains(&limit)) {
        return Err(Invalid::new("limit", format!("must be from 1 to {MOST_HITS}")));
    }
    match query.method {
        Method::Threshold(least) if !(-1.0..=1.0).contains(&least) => {
            Err(Invalid::new("score_threshold", "must be from -1 to 1"))
        }
        Method::Diverse { lambda, .. } if !(0.0..=1.0).contains(&lambda) => {
            Err(Invalid::new("lambda_mult", "must be from 0 to 1"))
        }
        Method::Diverse { fetch: Some(fetch), .. } if !(1..=MOST_FETCHED).contains(&fetch) => {
            Err(Invalid::new("fetch_k", format!("must be from 1 to {MOST_FETCHED}")))
        }
        _ => Ok(()),
    }
}
