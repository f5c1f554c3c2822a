use omni_domain::AgentId;
use omni_http::{ApiError, Call, Ctx, Deleted, Endpoint, Example, FromPath, InApp, Method, NoBody, NoQuery, Via};
use omni_rbac::Viewer;

use super::Agents;
use super::turn_events::TurnPath;
use crate::WorkspaceApi;
use crate::resource::Resource;

/// Stops a turn; what the agent has said so far is kept. Only the person who asked can.
pub(crate) enum CancelTurn {}

impl Endpoint for CancelTurn {
    type Plane = WorkspaceApi;
    type Access = InApp<Via<AgentId>, Viewer>;
    type Path = TurnPath;
    type Query = NoQuery;
    type Body = NoBody;
    type Reply = Deleted;

    const METHOD: Method = Method::Delete;
    const PATH: &'static str = "/internal/agents/{agent_id}/turns/{turn_id}";
    const SECTION: &'static str = Agents::SECTION;
    const SUMMARY: &'static str = "Stop a turn";

    fn example() -> Example {
        Example::plain()
    }

    async fn handle(ctx: Ctx<Self>, call: Call<TurnPath, NoQuery, NoBody>) -> Result<Deleted, ApiError> {
        let agent = AgentId::from_path(&ctx.visit)?;
        let turn = ctx.state.turns.find(&ctx.granted.grant, call.path.turn);
        let turn = turn.filter(|turn| turn.metadata().agent_id == agent).ok_or_else(ApiError::not_found)?;
        turn.cancel();
        Ok(Deleted("Turn stopped".to_owned()))
    }
}
