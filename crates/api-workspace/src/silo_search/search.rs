use omni_domain::{Invalid, SiloId};
use omni_http::{Answer, ApiError, Call, Ctx, Endpoint, Example, InApp, Json, Method, NoQuery, Via};
use omni_knowledge::{Hit, Method as SearchMethod, Query};
use omni_rbac::Viewer;
use omni_wire::{ScoresResponse, SearchRequest, SearchResponse, SearchResult};
use serde_json::json;

use super::{SECTION, filter};
use crate::WorkspaceApi;

/// Finds the passages of a silo that answer a question best.
pub(crate) enum Search {}

impl Endpoint for Search {
    type Plane = WorkspaceApi;
    type Access = InApp<Via<SiloId>, Viewer>;
    type Path = SiloId;
    type Query = NoQuery;
    type Body = Json<SearchRequest>;
    type Reply = Answer<SearchResponse>;

    const METHOD: Method = Method::Post;
    const PATH: &'static str = "/internal/silos/{silo_id}/search";
    const SECTION: &'static str = SECTION;
    const SUMMARY: &'static str = "Search a silo";
    const DETAILS: &'static str = "`hybrid` fuses the places that a passage has among the nearest vectors and among those with \
        the words of the question (reciprocal rank fusion). A silo with a `reranking_service_id` has what was found put in \
        order by it, except with `mmr`. Every score that chose a passage comes with it.";

    fn example() -> Example {
        Example::body(json!({ "query": "How do I reset my password?", "limit": 5 }))
    }

    async fn handle(ctx: Ctx<Self>, call: Call<SiloId, NoQuery, Self::Body>) -> Result<Self::Reply, ApiError> {
        let Json(request) = call.body;
        let grant = &ctx.granted.grant;
        let filter = filter(request.filter_metadata.as_ref())?;
        let (method, limit) = (method(&request)?, request.limit);
        let query = Query { text: &request.query, method, limit, filter: filter.as_ref() };
        let hits = ctx.state.knowledge.search(grant, call.path, &query).await?;
        let results: Vec<SearchResult> = hits.into_iter().map(shown).collect();
        Ok(Answer(SearchResponse { total_results: results.len(), results, query: request.query }))
    }
}

fn method(request: &SearchRequest) -> Result<SearchMethod, Invalid> {
    let kind = request.search_type.as_deref().unwrap_or("hybrid");
    let only_with = |field, given: bool, other: &str| match given && kind != other {
        true => Err(Invalid::new(field, format!("goes with the search_type {other} only"))),
        false => Ok(()),
    };
    only_with("score_threshold", request.score_threshold.is_some(), "similarity_score_threshold")?;
    only_with("fetch_k", request.fetch_k.is_some(), "mmr")?;
    only_with("lambda_mult", request.lambda_mult.is_some(), "mmr")?;
    match kind {
        "hybrid" => Ok(SearchMethod::Hybrid),
        "similarity" => Ok(SearchMethod::Similarity),
        "similarity_score_threshold" => {
            let least = request.score_threshold.ok_or_else(|| Invalid::new("score_threshold", "is missing"))?;
            Ok(SearchMethod::Threshold(least))
        }
        "mmr" => Ok(SearchMethod::Diverse { fetch: request.fetch_k, lambda: request.lambda_mult.unwrap_or(0.5) }),
        _ => Err(Invalid::new("search_type", "must be hybrid, similarity, similarity_score_threshold or mmr")),
    }
}

fn shown(hit: Hit) -> SearchResult {
    let Hit { passage, score, scores } = hit;
    SearchResult {
        page_content: passage.content,
        score,
        scores: ScoresResponse {
            similarity: scores.similarity,
            vector_rank: scores.vector_rank,
            text_score: scores.text_score,
            text_rank: scores.text_rank,
            fused: scores.fused,
            reranked: scores.reranked,
        },
        chunk_id: passage.chunk,
        document_id: passage.document,
        name: passage.name,
        title: passage.title,
        url: passage.url,
        page: passage.page,
        headings: passage.headings,
        start: passage.start,
        end: passage.end,
        metadata: passage.metadata,
    }
}
