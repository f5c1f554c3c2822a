use omni_http::{Answer, ApiError, Call, Ctx, Endpoint, Example, Json, Method, NoQuery, SignedIn};
use omni_wire::{ProfileResponse, UpdateProfileRequest};
use serde_json::json;

use super::{PATH, SECTION};
use crate::WorkspaceApi;

/// Changes the caller's own account; what the request leaves out stays.
pub(crate) enum UpdateProfile {}

impl Endpoint for UpdateProfile {
    type Plane = WorkspaceApi;
    type Access = SignedIn;
    type Path = ();
    type Query = NoQuery;
    type Body = Json<UpdateProfileRequest>;
    type Reply = Answer<ProfileResponse>;

    const METHOD: Method = Method::Put;
    const PATH: &'static str = PATH;
    const SECTION: &'static str = SECTION;
    const SUMMARY: &'static str = "Update user profile";

    fn example() -> Example {
        Example::body(json!({ "name": "Ada" }))
    }

    async fn handle(ctx: Ctx<Self>, call: Call<(), NoQuery, Self::Body>) -> Result<Self::Reply, ApiError> {
        let Json(request) = call.body;
        match request.name {
            None => Ok(Answer(ctx.granted.user().into())),
            Some(name) => Ok(Answer((&ctx.state.identity.rename(&ctx.granted, &name).await?).into())),
        }
    }
}
