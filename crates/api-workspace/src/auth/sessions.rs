use omni_http::{Answer, ApiError, Call, Ctx, Endpoint, Example, Method, NoBody, NoQuery, SignedIn};
use omni_wire::SessionResponse;

use super::SECTION;
use crate::WorkspaceApi;

/// Lists where the caller is signed in.
pub(crate) enum Sessions {}

impl Endpoint for Sessions {
    type Plane = WorkspaceApi;
    type Access = SignedIn;
    type Path = ();
    type Query = NoQuery;
    type Body = NoBody;
    type Reply = Answer<Vec<SessionResponse>>;

    const METHOD: Method = Method::Get;
    const PATH: &'static str = "/internal/auth/sessions";
    const SECTION: &'static str = SECTION;
    const SUMMARY: &'static str = "Where am I signed in";
    const DETAILS: &'static str = "The caller's own sessions, the last used first.";

    fn example() -> Example {
        Example::plain()
    }

    async fn handle(ctx: Ctx<Self>, _call: Call<(), NoQuery, NoBody>) -> Result<Self::Reply, ApiError> {
        let sessions = ctx.state.identity.own_sessions(&ctx.granted).await?;
        Ok(Answer(sessions.into_iter().map(SessionResponse::from).collect()))
    }
}
