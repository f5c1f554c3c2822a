use omni_http::{Answer, ApiError, Call, Ctx, Endpoint, Example, Json, Method, NoQuery, Public, WithCookie};
use omni_wire::{DevLoginRequest, SignedInResponse};
use serde_json::json;

use super::SECTION;
use crate::WorkspaceApi;
use crate::cookies::session_cookie;
use crate::plane::visitor;

/// FAKE mode: signs in as anybody.
pub(crate) enum DevLogin {}

impl Endpoint for DevLogin {
    type Plane = WorkspaceApi;
    type Access = Public;
    type Path = ();
    type Query = NoQuery;
    type Body = Json<DevLoginRequest>;
    type Reply = WithCookie<Answer<SignedInResponse>>;

    const METHOD: Method = Method::Post;
    const PATH: &'static str = "/internal/auth/dev-login";
    const SECTION: &'static str = SECTION;
    const SUMMARY: &'static str = "Sign in as anybody (FAKE mode)";
    const DETAILS: &'static str = "Makes the account if there is none, and sets the session's cookie. Outside FAKE mode \
        the answer is 404.";

    fn example() -> Example {
        Example::body(json!({ "email": "dev@example.com" }))
    }

    async fn handle(ctx: Ctx<Self>, call: Call<(), NoQuery, Self::Body>) -> Result<Self::Reply, ApiError> {
        let Json(request) = call.body;
        let signed_in = ctx.state.identity.sign_in_as(Some(&request.email), &visitor(&ctx.state, &ctx.visit)).await?;
        let response = SignedInResponse { user: (&signed_in.user).into(), expires_at: signed_in.expires };
        Ok(WithCookie(Answer(response), session_cookie(&ctx.state, &ctx.visit, &signed_in)))
    }
}
