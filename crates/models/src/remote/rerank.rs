use std::sync::Arc;

use futures::future::BoxFuture;
use tokio::time::Instant;

use super::call::after;
use super::exchange::Exchange;
use super::retries::Retries;
use crate::chance::Chance;
use crate::error::ModelError;
use crate::rerank::{Ranked, RerankModel, check_question};
use crate::wire::rerank::Rerank;

/// The most bytes of an answer: some servers repeat the passages in it, escaped.
const LONGEST_ANSWER: usize = 16 * 1024 * 1024;

/// A reranker at a provider.
#[derive(Debug)]
pub(crate) struct RemoteReranker(pub(crate) Arc<Reranker>);

#[derive(Debug)]
pub(crate) struct Reranker {
    pub(crate) exchange: Exchange,
    pub(crate) wire: Rerank,
    pub(crate) chance: Chance,
}

impl RerankModel for RemoteReranker {
    fn rerank(
        &self,
        query: String,
        passages: Vec<String>,
        top: usize,
    ) -> BoxFuture<'static, Result<Vec<Ranked>, ModelError>> {
        let reranker = Arc::clone(&self.0);
        Box::pin(async move { reranker.rerank(&query, &passages, top).await })
    }
}

impl Reranker {
    async fn rerank(&self, query: &str, passages: &[String], top: usize) -> Result<Vec<Ranked>, ModelError> {
        check_question(query, passages, top)?;
        let top = top.min(passages.len());
        let retries = Retries::new(self.chance.clone(), after(Instant::now(), self.exchange.deadlines.total));
        let body = self.wire.body(query, passages, top);
        let ranked = self.exchange.answer(body, LONGEST_ANSWER, &retries, Rerank::read).await?;
        in_order(ranked, passages.len(), top)
    }
}

/// The best `top` of what came, if it is what it should be. A server that gives all passages, though fewer were wanted, is
/// no worse for that.
fn in_order(mut ranked: Vec<Ranked>, passages: usize, top: usize) -> Result<Vec<Ranked>, ModelError> {
    let mut seen = vec![false; passages];
    for Ranked { index, score } in &ranked {
        let what = match seen.get_mut(*index) {
            None => "it ranks a passage that it was not given",
            Some(true) => "it ranks a passage twice",
            Some(_) if !score.is_finite() => "a score is too large",
            Some(seen) => {
                *seen = true;
                continue;
            }
        };
        return Err(ModelError::Malformed { what });
    }
    if ranked.len() < top {
        return Err(ModelError::Malformed { what: "it ranks fewer passages than were asked for" });
    }
    ranked.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.index.cmp(&b.index)));
    ranked.truncate(top);
    Ok(ranked)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ranked(scores: &[(usize, f32)]) -> Vec<Ranked> {
        scores.iter().map(|&(index, score)| Ranked { index, score }).collect()
    }

    #[test]
    fn the_best_come_first() {
        let given = ranked(&[(2, 0.1), (0, 0.9), (1, 0.9), (3, -4.0)]);
        assert_eq!(in_order(given.clone(), 4, 2).unwrap(), ranked(&[(0, 0.9), (1, 0.9)]));
        assert_eq!(in_order(given, 4, 4).unwrap(), ranked(&[(0, 0.9), (1, 0.9), (2, 0.1), (3, -4.0)]));
    }

    #[test]
    fn what_is_no_ranking_is_told() {
        for (scores, what) in [
            (vec![(0, 0.5)], "fewer"),
            (vec![(0, 0.5), (0, 0.4)], "twice"),
            (vec![(0, 0.5), (2, 0.4)], "not given"),
            (vec![(0, f32::NAN), (1, 0.4)], "too large"),
        ] {
            let error = in_order(ranked(&scores), 2, 2).unwrap_err();
            assert!(error.code() == "answer_malformed" && error.to_string().contains(what), "{error}");
        }
    }
}
