use omni_domain::{ConversationId, MessageId};
use omni_http::{Answer, ApiError, Call, Ctx, Endpoint, Example, InApp, Method, NoBody, Via};
use omni_rbac::Viewer;
use omni_wire::{HistoryResponse, MessageResponse};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{ITEM, SECTION};
use crate::WorkspaceApi;

/// How many messages are shown unless the caller says otherwise, and at most.
const USUAL: u32 = 200;
const MOST: u32 = 1_000;

/// Shows one of the caller's own conversations with its messages.
pub(crate) enum History {}

/// Which messages are wanted.
#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
pub(crate) struct Wanted {
    /// Only messages before this one.
    #[serde(default)]
    #[param(value_type = Option<i64>)]
    before: Option<MessageId>,
    /// How many at most, from 1 to 1000; 200 if left out.
    #[serde(default)]
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
}

impl Endpoint for History {
    type Plane = WorkspaceApi;
    type Access = InApp<Via<ConversationId>, Viewer>;
    type Path = ConversationId;
    type Query = Wanted;
    type Body = NoBody;
    type Reply = Answer<HistoryResponse>;

    const METHOD: Method = Method::Get;
    const PATH: &'static str = ITEM;
    const SECTION: &'static str = SECTION;
    const SUMMARY: &'static str = "Get conversation history";
    const DETAILS: &'static str = "The latest messages, in the order they came: as many as `limit` says, but fewer where \
        they would hold more than 4 MiB of text together. `has_more` says whether there are earlier ones; ask for them with \
        `before` set to the first `message_id` of this answer.";

    fn example() -> Example {
        Example::plain()
    }

    async fn handle(ctx: Ctx<Self>, call: Call<ConversationId, Wanted, NoBody>) -> Result<Self::Reply, ApiError> {
        let most = call.query.limit.unwrap_or(USUAL);
        if !(1..=MOST).contains(&most) {
            return Err(ApiError::invalid("limit", format!("must be from 1 to {MOST}")));
        }
        let grant = &ctx.granted.grant;
        let omni_workspace::History { conversation, messages, citations, has_more } =
            ctx.state.workspace.conversation(grant, call.path, call.query.before, most).await?;
        let found = |turn| citations.get(&turn).map(Vec::as_slice).unwrap_or_default();
        let shown = |message: omni_domain::Message| {
            let citations = found(message.turn);
            MessageResponse::new(message, citations)
        };
        let messages = messages.into_iter().map(shown).collect();
        Ok(Answer(HistoryResponse { conversation: conversation.into(), messages, has_more }))
    }
}
