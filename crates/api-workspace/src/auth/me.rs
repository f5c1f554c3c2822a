use omni_http::{Answer, ApiError, Call, Ctx, Endpoint, Example, Method, NoBody, NoQuery, SignedIn};
use omni_rbac::Session;
use omni_wire::MeResponse;

use super::SECTION;
use crate::WorkspaceApi;

/// Says who the caller is.
pub(crate) enum Me {}

/// The same where clients of earlier systems ask.
pub(crate) enum MeInShort {}

fn answer(session: &Session) -> Answer<MeResponse> {
    Answer(MeResponse::new(session.user(), session.platform_role()))
}

impl Endpoint for Me {
    type Plane = WorkspaceApi;
    type Access = SignedIn;
    type Path = ();
    type Query = NoQuery;
    type Body = NoBody;
    type Reply = Answer<MeResponse>;

    const METHOD: Method = Method::Get;
    const PATH: &'static str = "/internal/auth/me";
    const SECTION: &'static str = SECTION;
    const SUMMARY: &'static str = "Who am I";

    fn example() -> Example {
        Example::plain()
    }

    async fn handle(ctx: Ctx<Self>, _call: Call<(), NoQuery, NoBody>) -> Result<Self::Reply, ApiError> {
        Ok(answer(&ctx.granted))
    }
}

impl Endpoint for MeInShort {
    type Plane = WorkspaceApi;
    type Access = SignedIn;
    type Path = ();
    type Query = NoQuery;
    type Body = NoBody;
    type Reply = Answer<MeResponse>;

    const METHOD: Method = Method::Get;
    const PATH: &'static str = "/internal/me";
    const SECTION: &'static str = SECTION;
    const SUMMARY: &'static str = "Who am I";

    fn example() -> Example {
        Example::plain()
    }

    async fn handle(ctx: Ctx<Self>, _call: Call<(), NoQuery, NoBody>) -> Result<Self::Reply, ApiError> {
        Ok(answer(&ctx.granted))
    }
}
