use omni_http::{ApiError, Call, Ctx, Deleted, Endpoint, Example, Method, NoBody, NoQuery, Public, WithCookie};
use omni_rbac::SessionKey;

use super::SECTION;
use crate::WorkspaceApi;
use crate::plane::{removal_cookie, session_cookie};

/// Ends the caller's session, everywhere at once. Who is not signed in is signed out already.
pub(crate) enum Logout {}

impl Endpoint for Logout {
    type Plane = WorkspaceApi;
    type Access = Public;
    type Path = ();
    type Query = NoQuery;
    type Body = NoBody;
    type Reply = WithCookie<Deleted>;

    const METHOD: Method = Method::Post;
    const PATH: &'static str = "/internal/auth/logout";
    const SECTION: &'static str = SECTION;
    const SUMMARY: &'static str = "Sign out";

    fn example() -> Example {
        Example::plain()
    }

    async fn handle(ctx: Ctx<Self>, _call: Call<(), NoQuery, NoBody>) -> Result<Self::Reply, ApiError> {
        if let Some(secret) = session_cookie(&ctx.visit) {
            ctx.state.identity.sign_out(&SessionKey::of(&secret)).await?;
        }
        Ok(WithCookie(Deleted("Signed out".to_owned()), removal_cookie(&ctx.state, &ctx.visit)))
    }
}
