//! Putting what was found in order, by a model that reads each passage beside the question.

use std::time::Duration;

use omni_domain::{ServiceId, error_chain};
use omni_models::{ModelError, Ranked, RerankTarget, WaitedFor, parse_base_url};
use omni_rbac::{Grant, Viewer};

use crate::index::text_of;
use crate::search::Hit;
use crate::{Knowledge, KnowledgeError};

/// How long the order may take: somebody waits for it, and has one already.
const PATIENCE: Duration = Duration::from_secs(5);

impl Knowledge {
    /// The `limit` hits that answer the question best, best first. While the reranker fails they stay in the order that they
    /// have: an answer from the second best passages is better than none.
    pub(crate) async fn in_order(
        &self,
        grant: &Grant<Viewer>,
        reranker: ServiceId,
        question: &str,
        mut hits: Vec<Hit>,
        limit: usize,
    ) -> Vec<Hit> {
        if hits.is_empty() {
            return hits;
        }
        match self.rank(grant, reranker, question, &hits, limit).await {
            Ok(ranked) => reordered(hits, &ranked),
            Err(error) => {
                let (app, service, error) = (grant.app().get(), reranker.get(), error_chain(&error));
                tracing::warn!(app, service, error, "passages stay in the order of their ranks: the reranker failed");
                hits.truncate(limit);
                hits
            }
        }
    }

    async fn rank(
        &self,
        grant: &Grant<Viewer>,
        reranker: ServiceId,
        question: &str,
        hits: &[Hit],
        limit: usize,
    ) -> Result<Vec<Ranked>, KnowledgeError> {
        let (service, api_key) = self.ai_service(grant, reranker).await?;
        let base_url = service.base_url.as_deref().ok_or(KnowledgeError::RerankerUnaddressed)?;
        let target = RerankTarget { model: service.model, base_url: parse_base_url(base_url)?, api_key };
        let texts = hits.iter().map(|hit| text_of(&hit.passage.headings, &hit.passage.content)).collect();
        let asking = self.parts.models.rerank(target)?.rerank(question.to_owned(), texts, limit);
        let late = |_| ModelError::TimedOut { waited_for: WaitedFor::FirstByte, after: PATIENCE };
        Ok(tokio::time::timeout(PATIENCE, asking).await.map_err(late)??)
    }
}

/// The hits that were ranked, in their places.
fn reordered(hits: Vec<Hit>, ranked: &[Ranked]) -> Vec<Hit> {
    let mut hits: Vec<Option<Hit>> = hits.into_iter().map(Some).collect();
    let places = ranked.iter().filter_map(|place| {
        let mut hit = hits.get_mut(place.index)?.take()?;
        hit.score = f64::from(place.score);
        hit.scores.reranked = Some(hit.score);
        Some(hit)
    });
    places.collect()
}
