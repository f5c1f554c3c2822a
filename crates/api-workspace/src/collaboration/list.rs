use omni_domain::AppId;
use omni_http::{ApiError, ByPath, Call, Ctx, Endpoint, Example, InApp, Listed, Method, NoBody, Paging};
use omni_rbac::Viewer;
use omni_wire::CollaborationResponse;

use super::SECTION;
use crate::WorkspaceApi;

/// Lists who was invited to an app, however they answered. The owner is not among them.
pub(crate) enum List {}

impl Endpoint for List {
    type Plane = WorkspaceApi;
    type Access = InApp<ByPath, Viewer>;
    type Path = AppId;
    type Query = Paging;
    type Body = NoBody;
    type Reply = Listed<CollaborationResponse>;

    const METHOD: Method = Method::Get;
    const PATH: &'static str = "/internal/collaboration/apps/{app_id}/collaborators";
    const SECTION: &'static str = SECTION;
    const SUMMARY: &'static str = "List collaborators";

    fn example() -> Example {
        Example::plain()
    }

    async fn handle(ctx: Ctx<Self>, call: Call<AppId, Paging, NoBody>) -> Result<Self::Reply, ApiError> {
        let page = call.query.of_short_list()?;
        let found = ctx.state.workspace.list_collaborations(&ctx.granted.grant, page).await?;
        Ok(Listed(found.map(CollaborationResponse::from)))
    }
}
