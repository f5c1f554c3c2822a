use omni_domain::DomainId;
use omni_http::{Answer, ApiError, Call, Ctx, Endpoint, Example, InApp, Method, NoBody, NoQuery, Via};
use omni_rbac::Viewer;
use omni_wire::JobResponse;

use super::{JobPath, SECTION};
use crate::WorkspaceApi;

/// Shows a visit of a domain.
pub(crate) enum GetJob {}

impl Endpoint for GetJob {
    type Plane = WorkspaceApi;
    type Access = InApp<Via<DomainId>, Viewer>;
    type Path = JobPath;
    type Query = NoQuery;
    type Body = NoBody;
    type Reply = Answer<JobResponse>;

    const METHOD: Method = Method::Get;
    const PATH: &'static str = "/internal/domains/{domain_id}/jobs/{job_id}";
    const SECTION: &'static str = SECTION;
    const SUMMARY: &'static str = "Get crawl job";

    fn example() -> Example {
        Example::plain()
    }

    async fn handle(ctx: Ctx<Self>, call: Call<JobPath, NoQuery, NoBody>) -> Result<Self::Reply, ApiError> {
        let JobPath { domain, job } = call.path;
        Ok(Answer(ctx.state.knowledge.crawl_job(&ctx.granted.grant, domain, job).await?.into()))
    }
}
