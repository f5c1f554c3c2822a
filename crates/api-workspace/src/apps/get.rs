use omni_domain::AppId;
use omni_http::{Answer, ApiError, ByPath, Call, Ctx, Endpoint, Example, InApp, Method, NoBody, NoQuery};
use omni_rbac::Viewer;
use omni_wire::AppResponse;

use super::{ITEM, SECTION};
use crate::WorkspaceApi;

/// Shows an app.
pub(crate) enum Get {}

impl Endpoint for Get {
    type Plane = WorkspaceApi;
    type Access = InApp<ByPath, Viewer>;
    type Path = AppId;
    type Query = NoQuery;
    type Body = NoBody;
    type Reply = Answer<AppResponse>;

    const METHOD: Method = Method::Get;
    const PATH: &'static str = ITEM;
    const SECTION: &'static str = SECTION;
    const SUMMARY: &'static str = "Get app details";

    fn example() -> Example {
        Example::plain()
    }

    async fn handle(ctx: Ctx<Self>, _call: Call<AppId, NoQuery, NoBody>) -> Result<Self::Reply, ApiError> {
        Ok(Answer(ctx.state.workspace.get_app(&ctx.granted.grant).await?.into()))
    }
}
