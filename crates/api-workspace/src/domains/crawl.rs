use omni_domain::DomainId;
use omni_http::{Accepted, ApiError, Call, Ctx, Endpoint, Example, InApp, Method, NoBody, NoQuery, Via};
use omni_rbac::Editor;
use omni_wire::JobResponse;

use super::SECTION;
use crate::WorkspaceApi;

/// Has a domain visited now.
pub(crate) enum Crawl {}

impl Endpoint for Crawl {
    type Plane = WorkspaceApi;
    type Access = InApp<Via<DomainId>, Editor>;
    type Path = DomainId;
    type Query = NoQuery;
    type Body = NoBody;
    type Reply = Accepted<JobResponse>;

    const METHOD: Method = Method::Post;
    const PATH: &'static str = "/internal/domains/{domain_id}/crawl";
    const SECTION: &'static str = SECTION;
    const SUMMARY: &'static str = "Start crawling domain";
    const DETAILS: &'static str = "Answers at once with the job. New pages are indexed, changed ones indexed anew, and those that are gone forgotten. \
        `409` while one runs, naming it.";

    fn example() -> Example {
        Example::plain()
    }

    async fn handle(ctx: Ctx<Self>, call: Call<DomainId, NoQuery, NoBody>) -> Result<Self::Reply, ApiError> {
        Ok(Accepted(ctx.state.knowledge.start_crawl(&ctx.granted.grant, call.path).await?.into()))
    }
}
