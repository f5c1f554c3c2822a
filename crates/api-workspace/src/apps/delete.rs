use omni_domain::AppId;
use omni_http::{ApiError, ByPath, Call, Ctx, Deleted, Endpoint, Example, InApp, Method, NoBody, NoQuery};
use omni_rbac::Owner;

use super::{ITEM, SECTION};
use crate::WorkspaceApi;

/// Removes an app and everything in it.
pub(crate) enum Delete {}

impl Endpoint for Delete {
    type Plane = WorkspaceApi;
    type Access = InApp<ByPath, Owner>;
    type Path = AppId;
    type Query = NoQuery;
    type Body = NoBody;
    type Reply = Deleted;

    const METHOD: Method = Method::Delete;
    const PATH: &'static str = ITEM;
    const SECTION: &'static str = SECTION;
    const SUMMARY: &'static str = "Delete app";

    fn example() -> Example {
        Example::plain()
    }

    async fn handle(ctx: Ctx<Self>, call: Call<AppId, NoQuery, NoBody>) -> Result<Deleted, ApiError> {
        ctx.state.workspace.delete_app(&ctx.granted.grant).await?;
        ctx.state.turns.cancel_app(call.path);
        ctx.state.knowledge.something_was_deleted();
        Ok(Deleted("App deleted".to_owned()))
    }
}
