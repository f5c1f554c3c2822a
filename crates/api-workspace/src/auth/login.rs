use omni_http::{ApiError, Call, Ctx, Endpoint, Example, Method, NoBody, Plane, Public, Redirect, WithCookie};
use serde::Deserialize;
use utoipa::IntoParams;

use super::SECTION;
use crate::WorkspaceApi;
use crate::cookies::{attempt_cookie, session_cookie};
use crate::plane::visitor;

/// Where a browser goes once somebody is signed in, unless it says otherwise.
const HOME: &str = "/docs/internal";

/// The longest path that is remembered.
const MOST_BYTES: usize = 2_048;

/// Sends a browser to the identity provider; in FAKE mode, signs somebody in and sends them on.
pub(crate) enum Login {}

/// Where to go afterwards.
#[derive(Debug, Clone, Deserialize, IntoParams)]
pub(crate) struct Next {
    /// A path of this server.
    #[serde(default)]
    next: Option<String>,
}

impl Endpoint for Login {
    type Plane = WorkspaceApi;
    type Access = Public;
    type Path = ();
    type Query = Next;
    type Body = NoBody;
    type Reply = WithCookie<Redirect>;

    const METHOD: Method = Method::Get;
    const PATH: &'static str = "/internal/auth/login";
    const SECTION: &'static str = SECTION;
    const SUMMARY: &'static str = "Sign in";
    const DETAILS: &'static str = "For a browser to open: it goes to the identity provider, comes back to \
        `/internal/auth/callback`, and ends at `next`. In FAKE mode this signs the usual person in at once.";

    fn example() -> Example {
        Example::plain()
    }

    async fn handle(ctx: Ctx<Self>, call: Call<(), Next, NoBody>) -> Result<Self::Reply, ApiError> {
        let next = call.query.next.unwrap_or_else(|| HOME.to_owned());
        if !is_own_path(&next) {
            return Err(ApiError::invalid("next", "must be a path of this server"));
        }
        let identity = &ctx.state.identity;
        if identity.is_fake() {
            let signed_in = identity.sign_in_as(None, &visitor(&ctx.state, &ctx.visit)).await?;
            return Ok(WithCookie(Redirect(next), session_cookie(&ctx.state, &ctx.visit, &signed_in)));
        }
        let departure = identity.begin_sign_in(&next, &WorkspaceApi::origin(&ctx.state, &ctx.visit)).await?;
        let cookie = attempt_cookie(&ctx.state, &ctx.visit, &departure);
        Ok(WithCookie(Redirect(departure.url.into()), cookie))
    }
}

/// Whether a browser that is sent to `path` stays on this server: `//host` and `/\host` lead elsewhere.
fn is_own_path(path: &str) -> bool {
    let is_visible = path.bytes().all(|byte| byte.is_ascii_graphic());
    is_visible && path.len() <= MOST_BYTES && path.starts_with('/') && !path.starts_with("//") && !path.contains('\\')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leads_nowhere_else() {
        assert!(is_own_path("/") && is_own_path("/apps/1?tab=agents#top"));
        for elsewhere in ["", "//evil.example", "/\\evil.example", "https://evil.example", "/a\nb", "/a b"] {
            assert!(!is_own_path(elsewhere), "{elsewhere:?}");
        }
    }
}
