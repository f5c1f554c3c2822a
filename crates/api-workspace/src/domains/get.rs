use omni_domain::DomainId;
use omni_http::{Answer, ApiError, Call, Ctx, Endpoint, Example, InApp, Method, NoBody, NoQuery, Via};
use omni_rbac::Viewer;
use omni_wire::DomainResponse;

use super::SECTION;
use crate::WorkspaceApi;

/// Shows a domain.
pub(crate) enum Get {}

impl Endpoint for Get {
    type Plane = WorkspaceApi;
    type Access = InApp<Via<DomainId>, Viewer>;
    type Path = DomainId;
    type Query = NoQuery;
    type Body = NoBody;
    type Reply = Answer<DomainResponse>;

    const METHOD: Method = Method::Get;
    const PATH: &'static str = "/internal/domains/{domain_id}";
    const SECTION: &'static str = SECTION;
    const SUMMARY: &'static str = "Get domain details";

    fn example() -> Example {
        Example::plain()
    }

    async fn handle(ctx: Ctx<Self>, call: Call<DomainId, NoQuery, NoBody>) -> Result<Self::Reply, ApiError> {
        Ok(Answer(ctx.state.knowledge.domain(&ctx.granted.grant, call.path).await?.into()))
    }
}
