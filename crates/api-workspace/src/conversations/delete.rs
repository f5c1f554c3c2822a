use omni_domain::ConversationId;
use omni_http::{ApiError, Call, Ctx, Deleted, Endpoint, Example, InApp, Method, NoBody, NoQuery, Via};
use omni_rbac::Viewer;

use super::{ITEM, SECTION};
use crate::WorkspaceApi;

/// Removes one of the caller's own conversations with all its messages.
pub(crate) enum Delete {}

impl Endpoint for Delete {
    type Plane = WorkspaceApi;
    type Access = InApp<Via<ConversationId>, Viewer>;
    type Path = ConversationId;
    type Query = NoQuery;
    type Body = NoBody;
    type Reply = Deleted;

    const METHOD: Method = Method::Delete;
    const PATH: &'static str = ITEM;
    const SECTION: &'static str = SECTION;
    const SUMMARY: &'static str = "Delete conversation";

    fn example() -> Example {
        Example::plain()
    }

    async fn handle(ctx: Ctx<Self>, call: Call<ConversationId, NoQuery, NoBody>) -> Result<Deleted, ApiError> {
        ctx.state.workspace.delete_conversation(&ctx.granted.grant, call.path).await?;
        ctx.state.turns.cancel_conversation(call.path);
        Ok(Deleted("Conversation deleted".to_owned()))
    }
}
