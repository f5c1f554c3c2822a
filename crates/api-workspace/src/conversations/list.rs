use omni_domain::AgentId;
use omni_http::{ApiError, Call, Ctx, Endpoint, Example, Method, NoBody, OneAppOrMine, Paged, Paging};
use omni_persistence::ConversationFilter;
use omni_wire::ConversationResponse;
use serde::Deserialize;
use utoipa::IntoParams;

use super::SECTION;
use crate::WorkspaceApi;

/// Lists the caller's own conversations, latest first: in one app, or in all of them.
pub(crate) enum List {}

/// Which conversations are wanted.
#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
pub(crate) struct Wanted {
    /// The number of the page, from 1.
    #[serde(default)]
    page: Option<u32>,
    /// How many items a page has.
    #[serde(default)]
    per_page: Option<u32>,
    /// Only those with this agent.
    #[serde(default)]
    #[param(value_type = Option<i64>)]
    agent_id: Option<AgentId>,
}

impl Endpoint for List {
    type Plane = WorkspaceApi;
    type Access = OneAppOrMine;
    type Path = ();
    type Query = Wanted;
    type Body = NoBody;
    type Reply = Paged<ConversationResponse>;

    const METHOD: Method = Method::Get;
    const PATH: &'static str = "/internal/conversations";
    const SECTION: &'static str = SECTION;
    const SUMMARY: &'static str = "List user's conversations";

    fn example() -> Example {
        Example::plain()
    }

    async fn handle(ctx: Ctx<Self>, call: Call<(), Wanted, NoBody>) -> Result<Self::Reply, ApiError> {
        let Wanted { page, per_page, agent_id } = call.query;
        let page = Paging { page, per_page }.of_long_list()?;
        let (session, grant) = &ctx.granted;
        let filter = ConversationFilter { agent: agent_id };
        let found = ctx.state.workspace.list_conversations(session, grant.as_ref(), filter, page).await?;
        Ok(Paged(found.map(ConversationResponse::from)))
    }
}
