use omni_domain::DomainId;
use omni_http::{ApiError, Call, Created, Ctx, Endpoint, Example, InApp, Json, Method, NoQuery, Via};
use omni_rbac::Editor;
use omni_wire::{AddDomainUrlsRequest, AddedUrls, DomainUrlResponse};
use serde_json::json;

use super::SECTION;
use crate::WorkspaceApi;

/// Lists pages for the next visit of a domain.
pub(crate) enum AddUrls {}

impl Endpoint for AddUrls {
    type Plane = WorkspaceApi;
    type Access = InApp<Via<DomainId>, Editor>;
    type Path = DomainId;
    type Query = NoQuery;
    type Body = Json<AddDomainUrlsRequest>;
    type Reply = Created<AddedUrls>;

    const METHOD: Method = Method::Post;
    const PATH: &'static str = "/internal/domains/{domain_id}/urls";
    const SECTION: &'static str = SECTION;
    const SUMMARY: &'static str = "Add pages to domain";
    const DETAILS: &'static str = "They may be of any host, need not match the globs, and are visited first.";

    fn example() -> Example {
        Example::body(json!({ "urls": ["https://docs.example.com/hidden", "https://blog.example.com/release"] }))
    }

    async fn handle(
        ctx: Ctx<Self>,
        call: Call<DomainId, NoQuery, Json<AddDomainUrlsRequest>>,
    ) -> Result<Self::Reply, ApiError> {
        let Json(request) = call.body;
        let added = ctx.state.knowledge.add_domain_urls(&ctx.granted.grant, call.path, &request.into_urls()).await?;
        Ok(Created(AddedUrls { items: added.into_iter().map(DomainUrlResponse::from).collect() }))
    }
}
