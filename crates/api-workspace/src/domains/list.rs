use omni_http::{ApiError, ByQuery, Call, Ctx, Endpoint, Example, InApp, Listed, Method, NoBody, Paging};
use omni_rbac::Viewer;
use omni_wire::DomainResponse;

use super::SECTION;
use crate::WorkspaceApi;

/// Lists an app's domains, oldest first.
pub(crate) enum List {}

impl Endpoint for List {
    type Plane = WorkspaceApi;
    type Access = InApp<ByQuery, Viewer>;
    type Path = ();
    type Query = Paging;
    type Body = NoBody;
    type Reply = Listed<DomainResponse>;

    const METHOD: Method = Method::Get;
    const PATH: &'static str = "/internal/domains";
    const SECTION: &'static str = SECTION;
    const SUMMARY: &'static str = "List domains in app";

    fn example() -> Example {
        Example::plain()
    }

    async fn handle(ctx: Ctx<Self>, call: Call<(), Paging, NoBody>) -> Result<Self::Reply, ApiError> {
        let page = ctx.state.knowledge.domains(&ctx.granted.grant, call.query.of_short_list()?).await?;
        Ok(Listed(page.map(DomainResponse::from)))
    }
}
