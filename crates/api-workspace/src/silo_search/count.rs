use omni_domain::SiloId;
use omni_http::{Answer, ApiError, Call, Ctx, Endpoint, Example, InApp, Json, Method, NoQuery, Via};
use omni_rbac::Viewer;
use omni_wire::{DocumentCountResponse, DocumentsRequest};
use serde_json::json;

use super::{SECTION, filter};
use crate::WorkspaceApi;

/// Counts the documents of a silo, all or those that pass a filter.
pub(crate) enum Count {}

impl Endpoint for Count {
    type Plane = WorkspaceApi;
    type Access = InApp<Via<SiloId>, Viewer>;
    type Path = SiloId;
    type Query = NoQuery;
    type Body = Json<DocumentsRequest>;
    type Reply = Answer<DocumentCountResponse>;

    const METHOD: Method = Method::Post;
    const PATH: &'static str = "/internal/silos/{silo_id}/documents/count";
    const SECTION: &'static str = SECTION;
    const SUMMARY: &'static str = "Count the documents of a silo";

    fn example() -> Example {
        Example::body(json!({ "filter_metadata": { "language": "en" } }))
    }

    async fn handle(ctx: Ctx<Self>, call: Call<SiloId, NoQuery, Self::Body>) -> Result<Self::Reply, ApiError> {
        let Json(request) = call.body;
        let filter = filter(request.filter_metadata.as_ref())?;
        let count = ctx.state.knowledge.count_documents(&ctx.granted.grant, call.path, filter.as_ref()).await?;
        Ok(Answer(DocumentCountResponse { count }))
    }
}
