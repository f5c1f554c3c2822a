use omni_domain::AppId;
use omni_http::{ApiError, ByPath, Call, Ctx, Deleted, Endpoint, Example, InApp, Method, NoBody, NoQuery};
use omni_rbac::User;

use super::SECTION;
use crate::WorkspaceApi;

/// Ends the caller's own membership.
pub(crate) enum Leave {}

impl Endpoint for Leave {
    type Plane = WorkspaceApi;
    type Access = InApp<ByPath, User>;
    type Path = AppId;
    type Query = NoQuery;
    type Body = NoBody;
    type Reply = Deleted;

    const METHOD: Method = Method::Post;
    const PATH: &'static str = "/internal/collaboration/apps/{app_id}/leave";
    const SECTION: &'static str = SECTION;
    const SUMMARY: &'static str = "Leave an app";

    fn example() -> Example {
        Example::plain()
    }

    async fn handle(ctx: Ctx<Self>, _call: Call<AppId, NoQuery, NoBody>) -> Result<Deleted, ApiError> {
        ctx.state.workspace.leave_app(&ctx.granted.grant).await?;
        Ok(Deleted("You have left the app".to_owned()))
    }
}
