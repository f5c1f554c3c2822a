use omni_http::{ApiError, Call, Ctx, Endpoint, Example, Method, NoBody, Public, Redirect, WithCookie};
use omni_identity::{Returned, attempt_tag};
use serde::Deserialize;
use utoipa::IntoParams;

use super::SECTION;
use crate::WorkspaceApi;
use crate::cookies::{attempt_cookie_value, attempt_removal_cookie, session_cookie};
use crate::plane::visitor;

/// Takes a browser back from the identity provider.
pub(crate) enum Callback {}

/// What the provider sends along.
#[derive(Clone, Deserialize, IntoParams)]
pub(crate) struct ProviderAnswer {
    /// Which sign-in it is.
    #[serde(default)]
    state: Option<String>,
    /// What the provider gives the ID token for.
    #[serde(default)]
    code: Option<String>,
    /// Who the provider is (RFC 9207).
    #[serde(default)]
    iss: Option<String>,
    /// Why there is no code.
    #[serde(default)]
    error: Option<String>,
}

impl Endpoint for Callback {
    type Plane = WorkspaceApi;
    type Access = Public;
    type Path = ();
    type Query = ProviderAnswer;
    type Body = NoBody;
    type Reply = WithCookie<WithCookie<Redirect>>;

    const METHOD: Method = Method::Get;
    const PATH: &'static str = "/internal/auth/callback";
    const SECTION: &'static str = SECTION;
    const SUMMARY: &'static str = "Come back from the identity provider";
    const DETAILS: &'static str = "The redirect URI to register at the provider. An address of this kind works once, within \
        ten minutes, and only in the browser that went to `/internal/auth/login`. In FAKE mode the answer is 404.";

    fn example() -> Example {
        Example::plain().query("state", "from-the-provider").query("code", "from-the-provider")
    }

    async fn handle(ctx: Ctx<Self>, call: Call<(), ProviderAnswer, NoBody>) -> Result<Self::Reply, ApiError> {
        let answer = call.query;
        let state = answer.state.as_deref().unwrap_or_default();
        let returned = Returned {
            state,
            code: answer.code.as_deref(),
            issuer: answer.iss.as_deref(),
            error: answer.error.as_deref(),
        };
        let tag = attempt_tag(state);
        let browser = attempt_cookie_value(&ctx.state, &ctx.visit, &tag);
        let (signed_in, next) = ctx
            .state
            .identity
            .complete_sign_in(&returned, browser.as_deref(), &visitor(&ctx.state, &ctx.visit))
            .await?;
        let reply = WithCookie(Redirect(next), session_cookie(&ctx.state, &ctx.visit, &signed_in));
        Ok(WithCookie(reply, attempt_removal_cookie(&ctx.state, &ctx.visit, &tag)))
    }
}
