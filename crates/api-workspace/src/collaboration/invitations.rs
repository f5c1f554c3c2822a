use omni_http::{ApiError, Call, Ctx, Endpoint, Example, Listed, Method, NoBody, Paging, SignedIn};
use omni_wire::CollaborationResponse;

use super::SECTION;
use crate::WorkspaceApi;

/// Lists the invitations that wait for the caller's answer.
pub(crate) enum Invitations {}

impl Endpoint for Invitations {
    type Plane = WorkspaceApi;
    type Access = SignedIn;
    type Path = ();
    type Query = Paging;
    type Body = NoBody;
    type Reply = Listed<CollaborationResponse>;

    const METHOD: Method = Method::Get;
    const PATH: &'static str = "/internal/collaboration/invitations";
    const SECTION: &'static str = SECTION;
    const SUMMARY: &'static str = "List my invitations";

    fn example() -> Example {
        Example::plain()
    }

    async fn handle(ctx: Ctx<Self>, call: Call<(), Paging, NoBody>) -> Result<Self::Reply, ApiError> {
        let page = call.query.of_short_list()?;
        let waiting = ctx.state.workspace.list_invitations(&ctx.granted, page).await?;
        Ok(Listed(waiting.map(CollaborationResponse::from)))
    }
}
