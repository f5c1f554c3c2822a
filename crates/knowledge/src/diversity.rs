//! Of passages that are near to a question, those that say something new: maximal marginal relevance (Carbonell and
//! Goldstein, 1998).

use crate::search::Near;

/// A passage that may be chosen.
struct Candidate {
    near: Near,
    /// The likest of those that were chosen before, from -1 to 1; none before the first choice.
    known: Option<f64>,
}

impl Candidate {
    fn worth(&self, lambda: f64) -> f64 {
        lambda * self.near.similarity - (1.0 - lambda) * self.known.unwrap_or_default()
    }
}

/// Chooses one after the other what is near to the question and far from what was chosen before. `lambda` says how much
/// nearness counts against novelty, from 0 to 1. One that has no vector is unlike all others.
///
/// It takes as many comparisons of vectors as there are passages for each choice.
pub(crate) fn choose(near: Vec<Near>, limit: usize, lambda: f64) -> Vec<Near> {
    let of_unit_length = |near: Near| Near { vector: near.vector.map(unit), ..near };
    let mut left: Vec<Candidate> =
        near.into_iter().map(|near| Candidate { near: of_unit_length(near), known: None }).collect();
    let mut chosen: Vec<Near> = Vec::with_capacity(limit.min(left.len()));
    while chosen.len() < limit {
        // The first of those that are worth the same: it is nearer.
        let best = left.iter().enumerate().rev().max_by(|(_, a), (_, b)| a.worth(lambda).total_cmp(&b.worth(lambda)));
        let Some(place) = best.map(|(place, _)| place) else { break };
        let best = left.remove(place).near;
        for other in &mut left {
            let alike = dot(best.vector.as_deref(), other.near.vector.as_deref());
            other.known = Some(other.known.map_or(alike, |known| known.max(alike)));
        }
        chosen.push(best);
    }
    chosen
}

fn unit(mut vector: Vec<f32>) -> Vec<f32> {
    let length = vector.iter().map(|value| value * value).sum::<f32>().sqrt();
    if length > 0.0 {
        vector.iter_mut().for_each(|value| *value /= length);
    }
    vector
}

fn dot(one: Option<&[f32]>, other: Option<&[f32]>) -> f64 {
    let (Some(one), Some(other)) = (one, other) else { return 0.0 };
    f64::from(one.iter().zip(other).map(|(a, b)| a * b).sum::<f32>())
}

#[cfg(test)]
mod tests {
    use omni_domain::ChunkId;

    use super::*;

    fn near(chunk: i64, similarity: f64, vector: &[f32]) -> Near {
        Near { chunk: ChunkId::new(chunk), similarity, vector: Some(vector.to_vec()), rank: 0 }
    }

    fn order(chosen: &[Near]) -> Vec<i64> {
        chosen.iter().map(|near| near.chunk.get()).collect()
    }

    #[test]
    fn what_says_the_same_again_comes_later() {
        let found = || vec![near(1, 0.95, &[2.0, 0.0]), near(2, 0.94, &[0.99, 0.01]), near(3, 0.6, &[0.5, 0.8])];
        assert_eq!(order(&choose(found(), 3, 0.5)), [1, 3, 2]);
        assert_eq!(order(&choose(found(), 2, 1.0)), [1, 2], "all for nearness");
        assert_eq!(order(&choose(found(), 9, 0.5)), [1, 3, 2], "there are no more");
    }

    #[test]
    fn of_the_same_worth_the_nearer_one_is_first() {
        let found = vec![near(1, 0.5, &[]), near(2, 0.5, &[])];
        assert_eq!(order(&choose(found, 2, 0.5)), [1, 2]);
    }
}
