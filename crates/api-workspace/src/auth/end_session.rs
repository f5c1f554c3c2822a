use omni_domain::SessionId;
use omni_http::{ApiError, Call, Ctx, Deleted, Endpoint, Example, Method, NoBody, NoQuery, SignedIn};

use super::SECTION;
use crate::WorkspaceApi;

/// Ends one of the caller's own sessions.
pub(crate) enum EndSession {}

impl Endpoint for EndSession {
    type Plane = WorkspaceApi;
    type Access = SignedIn;
    type Path = SessionId;
    type Query = NoQuery;
    type Body = NoBody;
    type Reply = Deleted;

    const METHOD: Method = Method::Delete;
    const PATH: &'static str = "/internal/auth/sessions/{session_id}";
    const SECTION: &'static str = SECTION;
    const SUMMARY: &'static str = "Sign out elsewhere";
    const DETAILS: &'static str = "Ends one of the caller's own sessions, from its next request on.";

    fn example() -> Example {
        Example::plain()
    }

    async fn handle(ctx: Ctx<Self>, call: Call<SessionId, NoQuery, NoBody>) -> Result<Self::Reply, ApiError> {
        ctx.state.identity.end_own_session(&ctx.granted, call.path).await?;
        Ok(Deleted("Signed out there".to_owned()))
    }
}
