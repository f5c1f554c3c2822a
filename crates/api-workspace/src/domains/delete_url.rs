use omni_domain::DomainId;
use omni_http::{ApiError, Call, Ctx, Deleted, Endpoint, Example, InApp, Method, NoBody, NoQuery, Via};
use omni_rbac::Editor;

use super::{SECTION, UrlPath};
use crate::WorkspaceApi;

/// Forgets a page of a domain and what it says.
pub(crate) enum DeleteUrl {}

impl Endpoint for DeleteUrl {
    type Plane = WorkspaceApi;
    type Access = InApp<Via<DomainId>, Editor>;
    type Path = UrlPath;
    type Query = NoQuery;
    type Body = NoBody;
    type Reply = Deleted;

    const METHOD: Method = Method::Delete;
    const PATH: &'static str = "/internal/domains/{domain_id}/urls/{url_id}";
    const SECTION: &'static str = SECTION;
    const SUMMARY: &'static str = "Delete page of domain";
    const DETAILS: &'static str = "It comes back when something leads to it; a glob that excludes it keeps it away.";

    fn example() -> Example {
        Example::plain()
    }

    async fn handle(ctx: Ctx<Self>, call: Call<UrlPath, NoQuery, NoBody>) -> Result<Self::Reply, ApiError> {
        let UrlPath { domain, url } = call.path;
        ctx.state.knowledge.delete_domain_url(&ctx.granted.grant, domain, url).await?;
        Ok(Deleted("Page deleted".to_owned()))
    }
}
