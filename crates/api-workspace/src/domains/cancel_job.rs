use omni_domain::DomainId;
use omni_http::{Answer, ApiError, Call, Ctx, Endpoint, Example, InApp, Method, NoBody, NoQuery, Via};
use omni_rbac::Editor;
use omni_wire::JobResponse;

use super::{JobPath, SECTION};
use crate::WorkspaceApi;

/// Stops a visit of a domain; what it has found so far stays.
pub(crate) enum CancelJob {}

impl Endpoint for CancelJob {
    type Plane = WorkspaceApi;
    type Access = InApp<Via<DomainId>, Editor>;
    type Path = JobPath;
    type Query = NoQuery;
    type Body = NoBody;
    type Reply = Answer<JobResponse>;

    const METHOD: Method = Method::Post;
    const PATH: &'static str = "/internal/domains/{domain_id}/jobs/{job_id}/cancel";
    const SECTION: &'static str = SECTION;
    const SUMMARY: &'static str = "Cancel crawl job";

    fn example() -> Example {
        Example::plain()
    }

    async fn handle(ctx: Ctx<Self>, call: Call<JobPath, NoQuery, NoBody>) -> Result<Self::Reply, ApiError> {
        let JobPath { domain, job } = call.path;
        Ok(Answer(ctx.state.knowledge.cancel_crawl(&ctx.granted.grant, domain, job).await?.into()))
    }
}
