use omni_domain::DomainId;
use omni_http::{ApiError, Call, Ctx, Endpoint, Example, InApp, Method, NoBody, Paged, Paging, Via};
use omni_rbac::Viewer;
use omni_wire::JobResponse;

use super::SECTION;
use crate::WorkspaceApi;

/// Lists the visits of a domain, latest first.
pub(crate) enum ListJobs {}

impl Endpoint for ListJobs {
    type Plane = WorkspaceApi;
    type Access = InApp<Via<DomainId>, Viewer>;
    type Path = DomainId;
    type Query = Paging;
    type Body = NoBody;
    type Reply = Paged<JobResponse>;

    const METHOD: Method = Method::Get;
    const PATH: &'static str = "/internal/domains/{domain_id}/jobs";
    const SECTION: &'static str = SECTION;
    const SUMMARY: &'static str = "List crawl jobs of domain";

    fn example() -> Example {
        Example::plain()
    }

    async fn handle(ctx: Ctx<Self>, call: Call<DomainId, Paging, NoBody>) -> Result<Self::Reply, ApiError> {
        let page = call.query.of_long_list()?;
        let page = ctx.state.knowledge.crawls(&ctx.granted.grant, call.path, page).await?;
        Ok(Paged(page.map(JobResponse::from)))
    }
}
