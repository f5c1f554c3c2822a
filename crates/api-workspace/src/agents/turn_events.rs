use omni_domain::{AgentId, TurnId};
use omni_http::{
    ApiError, Call, Ctx, Endpoint, EventStream, Example, FromPath, InApp, Method, NoBody, NoQuery, Via, Visit,
};
use omni_rbac::Viewer;

use super::Agents;
use super::chat::frames;
use crate::WorkspaceApi;
use crate::resource::Resource;

/// Reads a turn again, from behind the event that `Last-Event-ID` names; only the person who asked can.
pub(crate) enum TurnEvents {}

/// An agent's turn.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TurnPath {
    pub(crate) turn: TurnId,
}

impl FromPath for TurnPath {
    const NAMES: &'static [&'static str] = &["agent_id", "turn_id"];

    fn from_path(visit: &Visit) -> Result<Self, ApiError> {
        Ok(Self { turn: TurnId::from_path(visit)? })
    }
}

impl Endpoint for TurnEvents {
    type Plane = WorkspaceApi;
    type Access = InApp<Via<AgentId>, Viewer>;
    type Path = TurnPath;
    type Query = NoQuery;
    type Body = NoBody;
    type Reply = EventStream;

    const METHOD: Method = Method::Get;
    const PATH: &'static str = "/internal/agents/{agent_id}/turns/{turn_id}/events";
    const SECTION: &'static str = Agents::SECTION;
    const SUMMARY: &'static str = "Follow a turn";
    const DETAILS: &'static str = "For who lost the connection, or opened a second tab: the events of a turn that runs, or \
        ended a moment ago, from behind the one that `Last-Event-ID` names. Later than that the answer is in the history.";

    fn example() -> Example {
        Example::plain()
    }

    async fn handle(ctx: Ctx<Self>, call: Call<TurnPath, NoQuery, NoBody>) -> Result<EventStream, ApiError> {
        let turn = ctx.state.turns.find(&ctx.granted.grant, call.path.turn).ok_or_else(ApiError::not_found)?;
        let after = match ctx.visit.header("last-event-id") {
            None => 0,
            Some(id) => id.parse().map_err(|_| ApiError::invalid("Last-Event-ID", "must be the id of an event"))?,
        };
        let attended = ctx.state.turns.attend(&ctx.granted.session, &ctx.granted.grant);
        Ok(EventStream::new(attended.while_it_lasts(frames(turn.reader(after)))))
    }
}
