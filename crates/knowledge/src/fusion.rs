//! Two lists of passages, made into one.

use std::collections::BTreeMap;

use omni_domain::ChunkId;
use omni_persistence::Candidate;

use crate::search::Scores;

/// What keeps the first places from outweighing all others, as in the paper on reciprocal rank fusion (Cormack, Clarke and
/// Büttcher, 2009).
const RANK_CONSTANT: f64 = 60.0;

/// Reciprocal rank fusion: a place near the top of either list counts, whatever the lists' scores mean.
pub(crate) fn fuse(near: Vec<(ChunkId, Scores)>, worded: Vec<Candidate>, limit: u32) -> Vec<(ChunkId, Scores)> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_both_ways_find_comes_first() {
        let near = [(1, 0.9), (2, 0.8), (3, 0.1)].into_iter().zip(1..).map(|((chunk, similarity), rank)| {
            let scores = Scores { similarity: Some(similarity), vector_rank: Some(rank), ..Scores::default() };
            (ChunkId::new(chunk), scores)
        });
        let worded = [3, 4].map(|chunk| Candidate { chunk: ChunkId::new(chunk), score: 0.1 });
        let fused = fuse(near.collect(), worded.to_vec(), 3);
        assert_eq!(fused.iter().map(|(chunk, _)| chunk.get()).collect::<Vec<_>>(), [3, 1, 2]);
        let scores = fused[0].1;
        assert_eq!((scores.vector_rank, scores.text_rank), (Some(3), Some(1)));
        assert!((scores.fused.unwrap() - (1.0 / 63.0 + 1.0 / 61.0)).abs() < 1e-12);
    }
}
