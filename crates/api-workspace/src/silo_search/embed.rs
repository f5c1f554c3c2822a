use omni_domain::SiloId;
use omni_http::{Accepted, ApiError, Call, Ctx, Endpoint, Example, InApp, Json, Method, NoQuery, Via};
use omni_rbac::Editor;
use omni_wire::{EmbedSiloRequest, JobResponse};
use serde_json::json;

use super::SECTION;
use crate::WorkspaceApi;

/// Has a silo embedded anew, by its embedding service or by another one.
pub(crate) enum Embed {}

impl Endpoint for Embed {
    type Plane = WorkspaceApi;
    type Access = InApp<Via<SiloId>, Editor>;
    type Path = SiloId;
    type Query = NoQuery;
    type Body = Json<EmbedSiloRequest>;
    type Reply = Accepted<JobResponse>;

    const METHOD: Method = Method::Post;
    const PATH: &'static str = "/internal/silos/{silo_id}/reembed";
    const SECTION: &'static str = SECTION;
    const SUMMARY: &'static str = "Embed a silo anew";
    const DETAILS: &'static str = "Answers at once with the job. What is searched stays what it is until every passage has its \
        new vector; then they change places at once. `409` while one runs.";

    fn example() -> Example {
        Example::body(json!({ "embedding_service_id": null }))
    }

    async fn handle(ctx: Ctx<Self>, call: Call<SiloId, NoQuery, Self::Body>) -> Result<Self::Reply, ApiError> {
        let Json(request) = call.body;
        let service = request.embedding_service_id;
        let job = ctx.state.knowledge.embed_silo_anew(&ctx.granted.grant, call.path, service).await?;
        Ok(Accepted(job.into()))
    }
}
