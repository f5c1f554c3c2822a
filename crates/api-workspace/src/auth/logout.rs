use omni_http::{Answer, ApiError, Call, Ctx, Endpoint, Example, Method, NoBody, NoQuery, Public, WithCookie};
use omni_wire::SignedOutResponse;
use url::Url;

use super::SECTION;
use crate::WorkspaceApi;
use crate::cookies::session_removal_cookie;
use crate::plane::visitor;

/// Ends the caller's session, everywhere at once. Who is not signed in is signed out already.
pub(crate) enum Logout {}

impl Endpoint for Logout {
    type Plane = WorkspaceApi;
    type Access = Public;
    type Path = ();
    type Query = NoQuery;
    type Body = NoBody;
    type Reply = WithCookie<Answer<SignedOutResponse>>;

    const METHOD: Method = Method::Post;
    const PATH: &'static str = "/internal/auth/logout";
    const SECTION: &'static str = SECTION;
    const SUMMARY: &'static str = "Sign out";
    const DETAILS: &'static str = "`logout_url` is where a browser may go to sign out of the identity provider, too.";

    fn example() -> Example {
        Example::plain()
    }

    async fn handle(ctx: Ctx<Self>, _call: Call<(), NoQuery, NoBody>) -> Result<Self::Reply, ApiError> {
        let visitor = visitor(&ctx.state, &ctx.visit);
        let logout_url = ctx.state.identity.sign_out(&visitor, ctx.state.public_url.as_ref()).await?;
        let response = SignedOutResponse { message: "Signed out".to_owned(), logout_url: logout_url.map(Url::into) };
        Ok(WithCookie(Answer(response), session_removal_cookie(&ctx.state, &ctx.visit)))
    }
}
