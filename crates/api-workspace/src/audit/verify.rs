use omni_domain::AppId;
use omni_http::{Answer, ApiError, ByPath, Call, Ctx, Endpoint, Example, InApp, Method, NoBody, NoQuery};
use omni_rbac::Owner;
use omni_wire::AuditCheckResponse;

use super::SECTION;
use crate::WorkspaceApi;

/// Checks that an app's audit trail is what was written.
pub(crate) enum Verify {}

impl Endpoint for Verify {
    type Plane = WorkspaceApi;
    type Access = InApp<ByPath, Owner>;
    type Path = AppId;
    type Query = NoQuery;
    type Body = NoBody;
    type Reply = Answer<AuditCheckResponse>;

    const METHOD: Method = Method::Get;
    const PATH: &'static str = "/internal/apps/{app_id}/audit/verification";
    const SECTION: &'static str = SECTION;
    const SUMMARY: &'static str = "Check the app's audit trail";

    fn example() -> Example {
        Example::plain()
    }

    async fn handle(ctx: Ctx<Self>, _call: Call<AppId, NoQuery, NoBody>) -> Result<Self::Reply, ApiError> {
        Ok(Answer(ctx.state.workspace.check_audit(&ctx.granted.grant).await?.into()))
    }
}
