use omni_domain::AppId;
use omni_http::{Answer, ApiError, ByPath, Call, Ctx, Endpoint, Example, InApp, Json, Method, NoQuery};
use omni_rbac::Owner;
use omni_wire::{AppResponse, UpdateAppRequest};
use serde_json::json;

use super::{ITEM, SECTION};
use crate::WorkspaceApi;

/// Changes an app; what the request leaves out stays, and the slug always does.
pub(crate) enum Update {}

impl Endpoint for Update {
    type Plane = WorkspaceApi;
    type Access = InApp<ByPath, Owner>;
    type Path = AppId;
    type Query = NoQuery;
    type Body = Json<UpdateAppRequest>;
    type Reply = Answer<AppResponse>;

    const METHOD: Method = Method::Put;
    const PATH: &'static str = ITEM;
    const SECTION: &'static str = SECTION;
    const SUMMARY: &'static str = "Update app";

    fn example() -> Example {
        Example::body(json!({ "name": "Our Workspace", "agent_rate_limit": 60 }))
    }

    async fn handle(ctx: Ctx<Self>, call: Call<AppId, NoQuery, Self::Body>) -> Result<Self::Reply, ApiError> {
        let Json(request) = call.body;
        Ok(Answer(ctx.state.workspace.update_app(&ctx.granted.grant, request.into()).await?.into()))
    }
}
