use omni_http::{ApiError, ByQuery, Call, Created, Ctx, Endpoint, Example, InApp, Json, Method, NoQuery};
use omni_rbac::Editor;
use omni_wire::{CreateDomainRequest, DomainResponse};
use serde_json::json;

use super::SECTION;
use crate::WorkspaceApi;

/// Makes a domain.
pub(crate) enum Create {}

impl Endpoint for Create {
    type Plane = WorkspaceApi;
    type Access = InApp<ByQuery, Editor>;
    type Path = ();
    type Query = NoQuery;
    type Body = Json<CreateDomainRequest>;
    type Reply = Created<DomainResponse>;

    const METHOD: Method = Method::Post;
    const PATH: &'static str = "/internal/domains";
    const SECTION: &'static str = SECTION;
    const SUMMARY: &'static str = "Create new domain";
    const DETAILS: &'static str = "Its silo is made and goes with it. Unless the policy says otherwise, the crawl begins with `base_url` and stays on its host.";

    fn example() -> Example {
        Example::body(json!({
            "name": "Product documentation",
            "description": "How our product is used",
            "base_url": "https://docs.example.com/",
            "policy": { "max_depth": 3, "exclude_globs": ["/archive/**"], "refresh_interval_hours": 24 },
        }))
    }

    async fn handle(
        ctx: Ctx<Self>,
        call: Call<(), NoQuery, Json<CreateDomainRequest>>,
    ) -> Result<Self::Reply, ApiError> {
        let Json(request) = call.body;
        let domain = ctx.state.knowledge.create_domain(&ctx.granted.grant, request.into_draft()?).await?;
        Ok(Created(domain.into()))
    }
}
