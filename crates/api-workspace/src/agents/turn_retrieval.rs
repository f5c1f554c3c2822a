use omni_domain::AgentId;
use omni_http::{Answer, ApiError, Call, Ctx, Endpoint, Example, InApp, Method, NoBody, NoQuery, Via};
use omni_rbac::Viewer;
use omni_wire::{CitationResponse, RetrievalResponse};

use super::Agents;
use super::turn_events::TurnPath;
use crate::WorkspaceApi;
use crate::resource::Resource;

/// Shows what was looked up for a turn, with every score that chose a passage; only to the person who asked.
pub(crate) enum TurnRetrieval {}

impl Endpoint for TurnRetrieval {
    type Plane = WorkspaceApi;
    type Access = InApp<Via<AgentId>, Viewer>;
    type Path = TurnPath;
    type Query = NoQuery;
    type Body = NoBody;
    type Reply = Answer<RetrievalResponse>;

    const METHOD: Method = Method::Get;
    const PATH: &'static str = "/internal/agents/{agent_id}/turns/{turn_id}/retrieval";
    const SECTION: &'static str = Agents::SECTION;
    const SUMMARY: &'static str = "Show what was looked up for a turn";
    const DETAILS: &'static str = "404 if the agent had no silo, or the turn is somebody else's.";

    fn example() -> Example {
        Example::plain()
    }

    async fn handle(ctx: Ctx<Self>, call: Call<TurnPath, NoQuery, NoBody>) -> Result<Self::Reply, ApiError> {
        let retrieval = ctx.state.workspace.retrieval(&ctx.granted.grant, call.path.turn).await?;
        Ok(Answer(RetrievalResponse {
            silo_id: retrieval.silo.map(omni_domain::SiloId::get),
            query: retrieval.query,
            citations: retrieval.citations.iter().map(CitationResponse::from).collect(),
        }))
    }
}
