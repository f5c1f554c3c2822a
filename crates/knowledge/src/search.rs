//! Finding passages: by vectors, by words, or by both, fused.

use std::collections::{BTreeMap, HashMap};

use omni_domain::{ChunkId, Invalid, MetadataFilter, SiloId, Text, VectorDbType, required_text};
use omni_persistence::{Candidate, EmbeddedSilo, Passage, Wanted};
use omni_qdrant::{Filter, Search as PointSearch, Tenant};
use omni_rbac::{Grant, Viewer};

use crate::index::collection;
use crate::words::words_of;
use crate::{Knowledge, KnowledgeError};

/// The most passages of one search.
pub const MOST_HITS: u32 = 200;
/// How many candidates each way of searching brings to be fused, at least.
const CANDIDATES: u32 = 50;
/// What keeps the first places from outweighing all others, as in the paper on reciprocal rank fusion (Cormack, Clarke and
/// Büttcher, 2009).
const RANK_CONSTANT: f64 = 60.0;

/// A way of searching.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Method {
    /// The nearest vectors.
    Similarity,
    /// The nearest vectors whose cosine similarity is at least this.
    Threshold(f64),
    /// Of the nearest vectors those that say something new: maximal marginal relevance (Carbonell and Goldstein, 1998).
    Diverse {
        /// From how many of the nearest they are chosen.
        fetch: u32,
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
    /// How many passages are wanted.
    pub limit: u32,
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
}

/// A passage that was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    /// The passage.
    pub passage: Passage,
    /// What it is ordered by: the fused score, or the similarity.
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
        let scored = match query.method {
            Method::Similarity => self.by_vector(grant, &embedded, query, &text, query.limit).await?,
            Method::Threshold(least) => {
                let near = self.by_vector(grant, &embedded, query, &text, query.limit).await?;
                near.into_iter().filter(|(_, scores)| scores.similarity.is_some_and(|found| found >= least)).collect()
            }
            Method::Diverse { fetch, lambda } => {
                let near = self.by_vector(grant, &embedded, query, &text, fetch.max(query.limit)).await?;
                self.diverse(grant, &embedded, near, query.limit, lambda).await?
            }
            Method::Hybrid => {
                let most = query.limit.max(CANDIDATES);
                let (near, worded) = futures::try_join!(
                    self.by_vector(grant, &embedded, query, &text, most),
                    self.by_words(grant, &embedded, query, &text, most),
                )?;
                fuse(near, worded, query.limit)
            }
        };
        self.passages_of(grant, silo, scored).await
    }

    /// How many passages a silo of the grant's app gives for a question, unless somebody says otherwise.
    ///
    /// # Errors
    /// If the silo is not the app's.
    pub async fn retrieval_count(&self, grant: &Grant<Viewer>, silo: SiloId) -> Result<u32, KnowledgeError> {
        Ok(self.parts.store.embedded_silo(grant, silo).await?.silo.retrieval_count)
    }

    async fn by_vector(
        &self,
        grant: &Grant<Viewer>,
        embedded: &EmbeddedSilo,
        query: &Query<'_>,
        text: &str,
        most: u32,
    ) -> Result<Vec<(ChunkId, Scores)>, KnowledgeError> {
        let model = self.embedder(embedded)?;
        let vector = self.embed_question(&embedded.silo, &model, text).await?;
        let near = match embedded.silo.vector_db {
            VectorDbType::PgVector => {
                let wanted = Wanted { silo: embedded.silo.id, filter: query.filter, most };
                let near = self.parts.store.nearest(grant, &wanted, embedded.silo.epoch, &vector).await?;
                near.into_iter().map(|near| (near.chunk, 1.0 - near.score)).collect()
            }
            VectorDbType::Qdrant => self.nearest_points(grant, embedded, query.filter, vector, most).await?,
        };
        let ranked = near.into_iter().zip(1..).map(|((chunk, similarity), rank)| {
            (chunk, Scores { similarity: Some(similarity), vector_rank: Some(rank), ..Scores::default() })
        });
        Ok(ranked.collect())
    }

    async fn nearest_points(
        &self,
        grant: &Grant<Viewer>,
        embedded: &EmbeddedSilo,
        filter: Option<&MetadataFilter>,
        vector: Vec<f32>,
        most: u32,
    ) -> Result<Vec<(ChunkId, f64)>, KnowledgeError> {
        let qdrant = self.parts.qdrant.as_ref().ok_or(KnowledgeError::NoQdrant)?;
        let Some((model, dimensions)) = &embedded.silo.embedded_with else { return Ok(Vec::new()) };
        let everything = Filter::everything_of(Tenant { app: grant.app(), silo: embedded.silo.id });
        let filter = match filter {
            Some(filter) => everything.metadata(filter),
            None => everything,
        };
        let search = PointSearch { vector, filter, limit: most, score_threshold: None, with_vectors: false };
        let hits = qdrant.search(&collection(model, *dimensions)?, &search).await?;
        Ok(hits.into_iter().map(|hit| (hit.chunk, f64::from(hit.score))).collect())
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

    /// Chooses one after the other what is near to the question and far from what was chosen before.
    async fn diverse(
        &self,
        grant: &Grant<Viewer>,
        embedded: &EmbeddedSilo,
        near: Vec<(ChunkId, Scores)>,
        limit: u32,
        lambda: f64,
    ) -> Result<Vec<(ChunkId, Scores)>, KnowledgeError> {
        let chunks: Vec<ChunkId> = near.iter().map(|(chunk, _)| *chunk).collect();
        let vectors = self.parts.store.vectors(grant, embedded.silo.id, embedded.silo.epoch, &chunks).await?;
        let vectors: HashMap<ChunkId, Vec<f32>> = vectors.into_iter().collect();
        Ok(choose_diverse(near, &vectors, limit, lambda))
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
    if !(1..=MOST_HITS).contains(&query.limit) {
        return Err(Invalid::new("limit", format!("must be from 1 to {MOST_HITS}")));
    }
    match query.method {
        Method::Threshold(least) if !(-1.0..=1.0).contains(&least) => {
            Err(Invalid::new("score_threshold", "must be from -1 to 1"))
        }
        Method::Diverse { lambda, .. } if !(0.0..=1.0).contains(&lambda) => {
            Err(Invalid::new("lambda_mult", "must be from 0 to 1"))
        }
        Method::Diverse { fetch, .. } if !(1..=1_000).contains(&fetch) => {
            Err(Invalid::new("fetch_k", "must be from 1 to 1000"))
        }
        _ => Ok(()),
    }
}

/// Reciprocal rank fusion: a place near the top of either list counts, whatever the lists' scores mean.
fn fuse(near: Vec<(ChunkId, Scores)>, worded: Vec<Candidate>, limit: u32) -> Vec<(ChunkId, Scores)> {
    let mut found: BTreeMap<ChunkId, Scores> = near.into_iter().collect();
    for (candidate, rank) in worded.into_iter().zip(1..) {
        let scores = found.entry(candidate.chunk).or_default();
        (scores.text_score, scores.text_rank) = (Some(candidate.score), Some(rank));
    }
    let reciprocal = |rank: Option<u32>| rank.map_or(0.0, |rank| 1.0 / (RANK_CONSTANT + f64::from(rank)));
    let mut fused: Vec<(ChunkId, Scores)> = found
        .into_iter()
        .map(|(chunk, scores)| {
            let fused = reciprocal(scores.vector_rank) + reciprocal(scores.text_rank);
            (chunk, Scores { fused: Some(fused), ..scores })
        })
        .collect();
    let order = |scores: &Scores| scores.fused.unwrap_or_default();
    fused.sort_by(|(one, a), (other, b)| order(b).total_cmp(&order(a)).then(one.cmp(other)));
    fused.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    fused
}

fn choose_diverse(
    mut near: Vec<(ChunkId, Scores)>,
    vectors: &HashMap<ChunkId, Vec<f32>>,
    limit: u32,
    lambda: f64,
) -> Vec<(ChunkId, Scores)> {
    let mut chosen: Vec<(ChunkId, Scores)> = Vec::new();
    while chosen.len() < usize::try_from(limit).unwrap_or(usize::MAX) {
        let worth = |(chunk, scores): &(ChunkId, Scores)| {
            let like = |other: &ChunkId| match (vectors.get(chunk), vectors.get(other)) {
                (Some(one), Some(other)) => cosine(one, other),
                _ => 0.0,
            };
            let known = chosen.iter().map(|(other, _)| like(other)).fold(f64::NEG_INFINITY, f64::max);
            let known = if known.is_finite() { known } else { 0.0 };
            lambda * scores.similarity.unwrap_or_default() - (1.0 - lambda) * known
        };
        let best = near.iter().enumerate().max_by(|(_, one), (_, other)| worth(one).total_cmp(&worth(other)));
        let Some(place) = best.map(|(place, _)| place) else { break };
        chosen.push(near.remove(place));
    }
    chosen
}

fn cosine(one: &[f32], other: &[f32]) -> f64 {
    let sum =
        |pairs: &mut dyn Iterator<Item = (f32, f32)>| pairs.map(|(a, b)| f64::from(a) * f64::from(b)).sum::<f64>();
    let dot = sum(&mut one.iter().copied().zip(other.iter().copied()));
    let length = |vector: &[f32]| sum(&mut vector.iter().map(|value| (*value, *value))).sqrt();
    let lengths = length(one) * length(other);
    if lengths > 0.0 { dot / lengths } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(ranks: &[(i64, f64)]) -> Vec<(ChunkId, Scores)> {
        let scored = ranks.iter().zip(1..).map(|((chunk, similarity), rank)| {
            let scores = Scores { similarity: Some(*similarity), vector_rank: Some(rank), ..Scores::default() };
            (ChunkId::new(*chunk), scores)
        });
        scored.collect()
    }

    fn order(found: &[(ChunkId, Scores)]) -> Vec<i64> {
        found.iter().map(|(chunk, _)| chunk.get()).collect()
    }

    #[test]
    fn what_both_ways_find_comes_first() {
        let worded = [3, 4].map(|chunk| Candidate { chunk: ChunkId::new(chunk), score: 0.1 });
        let fused = fuse(near(&[(1, 0.9), (2, 0.8), (3, 0.1)]), worded.to_vec(), 3);
        assert_eq!(order(&fused), [3, 1, 2]);
        let scores = fused[0].1;
        assert_eq!((scores.vector_rank, scores.text_rank), (Some(3), Some(1)));
        assert!((scores.fused.unwrap() - (1.0 / 63.0 + 1.0 / 61.0)).abs() < 1e-12);
    }

    #[test]
    fn what_says_the_same_again_comes_later() {
        let vectors = HashMap::from([
            (ChunkId::new(1), vec![1.0, 0.0]),
            (ChunkId::new(2), vec![0.99, 0.01]),
            (ChunkId::new(3), vec![0.5, 0.8]),
        ]);
        let found = near(&[(1, 0.95), (2, 0.94), (3, 0.6)]);
        assert_eq!(order(&choose_diverse(found.clone(), &vectors, 3, 0.5)), [1, 3, 2]);
        assert_eq!(order(&choose_diverse(found, &vectors, 2, 1.0)), [1, 2], "all for nearness");
    }
}
