use omni_domain::DomainId;
use omni_http::{Answer, ApiError, Call, Ctx, Endpoint, Example, InApp, Json, Method, NoQuery, Via};
use omni_rbac::Editor;
use omni_wire::{DomainResponse, UpdateDomainRequest};
use serde_json::json;

use super::SECTION;
use crate::WorkspaceApi;

/// Changes a domain; what the request leaves out stays.
pub(crate) enum Update {}

impl Endpoint for Update {
    type Plane = WorkspaceApi;
    type Access = InApp<Via<DomainId>, Editor>;
    type Path = DomainId;
    type Query = NoQuery;
    type Body = Json<UpdateDomainRequest>;
    type Reply = Answer<DomainResponse>;

    const METHOD: Method = Method::Put;
    const PATH: &'static str = "/internal/domains/{domain_id}";
    const SECTION: &'static str = SECTION;
    const SUMMARY: &'static str = "Update domain";

    fn example() -> Example {
        Example::body(json!({ "description": "How our product is used and set up", "policy": { "max_pages": 500 } }))
    }

    async fn handle(
        ctx: Ctx<Self>,
        call: Call<DomainId, NoQuery, Json<UpdateDomainRequest>>,
    ) -> Result<Self::Reply, ApiError> {
        let Json(request) = call.body;
        let domain = ctx.state.knowledge.update_domain(&ctx.granted.grant, call.path, request.into()).await?;
        Ok(Answer(domain.into()))
    }
}
