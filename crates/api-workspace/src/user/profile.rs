use omni_http::{Answer, ApiError, Call, Ctx, Endpoint, Example, Method, NoBody, NoQuery, SignedIn};
use omni_wire::ProfileResponse;

use super::{PATH, SECTION};
use crate::WorkspaceApi;

/// Shows the caller's own account.
pub(crate) enum Profile {}

impl Endpoint for Profile {
    type Plane = WorkspaceApi;
    type Access = SignedIn;
    type Path = ();
    type Query = NoQuery;
    type Body = NoBody;
    type Reply = Answer<ProfileResponse>;

    const METHOD: Method = Method::Get;
    const PATH: &'static str = PATH;
    const SECTION: &'static str = SECTION;
    const SUMMARY: &'static str = "Get current user profile";

    fn example() -> Example {
        Example::plain()
    }

    async fn handle(ctx: Ctx<Self>, _call: Call<(), NoQuery, NoBody>) -> Result<Self::Reply, ApiError> {
        Ok(Answer(ctx.granted.user().into()))
    }
}
