use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;
use omni_domain::{Citation, CitationScores, SiloId};
use omni_knowledge::{Hit, Knowledge, Method, Query};
use omni_rbac::{Grant, Viewer};
use omni_turns::{Found, RetrievalFailed, Retriever};

/// The most characters of a passage that a citation quotes.
const QUOTED: usize = 500;

/// Finds an agent's passages in its silo: what the turns ask for, by what the use cases of knowledge offer. Neither knows
/// the other.
#[derive(Debug)]
pub(crate) struct SiloRetriever(pub(crate) Arc<Knowledge>);

impl Retriever for SiloRetriever {
    fn retrieve<'a>(
        &'a self,
        grant: &'a Grant<Viewer>,
        silo: SiloId,
        question: &'a str,
    ) -> BoxFuture<'a, Result<Vec<Found>, RetrievalFailed>> {
        async move {
            let query = Query { text: question, method: Method::Hybrid, limit: None, filter: None };
            let hits = self.0.search(grant, silo, &query).await?;
            Ok(hits.into_iter().zip(1..).map(|(hit, index)| found(hit, index)).collect())
        }
        .boxed()
    }
}

fn found(hit: Hit, index: u32) -> Found {
    let Hit { passage, score, scores } = hit;
    let quote = match passage.content.char_indices().nth(QUOTED) {
        Some((end, _)) => format!("{}…", passage.content.get(..end).unwrap_or_default().trim_end()),
        None => passage.content.clone(),
    };
    let citation = Citation {
        index,
        document_id: passage.document,
        chunk_id: passage.chunk,
        name: passage.name,
        title: passage.title,
        url: passage.url,
        page: passage.page,
        headings: passage.headings,
        start: passage.start,
        end: passage.end,
        quote,
        score,
        scores: CitationScores {
            similarity: scores.similarity,
            vector_rank: scores.vector_rank,
            text_score: scores.text_score,
            text_rank: scores.text_rank,
            fused: scores.fused,
            reranked: scores.reranked,
        },
    };
    Found { citation, text: passage.content }
}
