use omni_domain::AppId;
use omni_http::{ApiError, ByPath, Call, Created, Ctx, Endpoint, Example, InApp, Json, Method, NoQuery};
use omni_rbac::Administrator;
use omni_wire::{CollaborationResponse, InviteRequest};
use serde_json::json;

use super::SECTION;
use crate::WorkspaceApi;

/// Invites somebody to an app. The invitation waits until they sign in with that address.
pub(crate) enum Invite {}

impl Endpoint for Invite {
    type Plane = WorkspaceApi;
    type Access = InApp<ByPath, Administrator>;
    type Path = AppId;
    type Query = NoQuery;
    type Body = Json<InviteRequest>;
    type Reply = Created<CollaborationResponse>;

    const METHOD: Method = Method::Post;
    const PATH: &'static str = "/internal/collaboration/apps/{app_id}/invite";
    const SECTION: &'static str = SECTION;
    const SUMMARY: &'static str = "Invite user to app";

    fn example() -> Example {
        Example::body(json!({ "email": "grace@example.com", "role": "editor" }))
    }

    async fn handle(ctx: Ctx<Self>, call: Call<AppId, NoQuery, Self::Body>) -> Result<Self::Reply, ApiError> {
        let Json(request) = call.body;
        let invited = ctx.state.workspace.invite(&ctx.granted.grant, &request.email, request.role.as_deref()).await?;
        Ok(Created(invited.into()))
    }
}
