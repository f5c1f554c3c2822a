use omni_http::{ApiError, Call, Created, Ctx, Endpoint, Example, Json, Method, NoQuery, SignedIn};
use omni_wire::{AppResponse, CreateAppRequest};
use serde_json::json;

use super::{COLLECTION, SECTION};
use crate::WorkspaceApi;

/// Makes an app that the caller owns.
pub(crate) enum Create {}

impl Endpoint for Create {
    type Plane = WorkspaceApi;
    type Access = SignedIn;
    type Path = ();
    type Query = NoQuery;
    type Body = Json<CreateAppRequest>;
    type Reply = Created<AppResponse>;

    const METHOD: Method = Method::Post;
    const PATH: &'static str = COLLECTION;
    const SECTION: &'static str = SECTION;
    const SUMMARY: &'static str = "Create new app";

    fn example() -> Example {
        Example::body(json!({ "name": "My Workspace" }))
    }

    async fn handle(ctx: Ctx<Self>, call: Call<(), NoQuery, Self::Body>) -> Result<Self::Reply, ApiError> {
        let Json(request) = call.body;
        Ok(Created(ctx.state.workspace.create_app(&ctx.granted, &request.into_draft()?).await?.into()))
    }
}
