use omni_domain::DomainId;
use omni_http::{ApiError, Call, Ctx, Deleted, Endpoint, Example, InApp, Method, NoBody, NoQuery, Via};
use omni_rbac::Editor;

use super::SECTION;
use crate::WorkspaceApi;

/// Removes a domain and all that is known of it.
pub(crate) enum Delete {}

impl Endpoint for Delete {
    type Plane = WorkspaceApi;
    type Access = InApp<Via<DomainId>, Editor>;
    type Path = DomainId;
    type Query = NoQuery;
    type Body = NoBody;
    type Reply = Deleted;

    const METHOD: Method = Method::Delete;
    const PATH: &'static str = "/internal/domains/{domain_id}";
    const SECTION: &'static str = SECTION;
    const SUMMARY: &'static str = "Delete domain";
    const DETAILS: &'static str =
        "With its silo, its pages and its jobs. Not while it is being crawled, nor while agents use its silo.";

    fn example() -> Example {
        Example::plain()
    }

    async fn handle(ctx: Ctx<Self>, call: Call<DomainId, NoQuery, NoBody>) -> Result<Self::Reply, ApiError> {
        ctx.state.knowledge.delete_domain(&ctx.granted.grant, call.path).await?;
        Ok(Deleted("Domain deleted".to_owned()))
    }
}
