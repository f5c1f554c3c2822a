mod chat;
mod chat_body;
mod reset;
mod turn_cancel;
mod turn_events;
mod turn_retrieval;

use omni_domain::{Agent, AgentId};
use omni_http::Example;
use omni_rbac::{Editor, Grant};
use omni_wire::{AgentResponse, CreateAgentRequest, UpdateAgentRequest};
use omni_workspace::WorkspaceError;
use serde_json::json;

pub(crate) use chat::Chat;
pub(crate) use reset::Reset;
pub(crate) use turn_cancel::CancelTurn;
pub(crate) use turn_events::TurnEvents;
pub(crate) use turn_retrieval::TurnRetrieval;

use crate::Services;
use crate::resource::{Resource, Summaries};

/// Agents.
pub(crate) enum Agents {}

impl Resource for Agents {
    type Id = AgentId;
    type Entity = Agent;
    type Response = AgentResponse;
    type CreateRequest = CreateAgentRequest;
    type UpdateRequest = UpdateAgentRequest;

    const COLLECTION: &'static str = "/internal/agents";
    const ITEM: &'static str = "/internal/agents/{agent_id}";
    const SECTION: &'static str = "Agents";
    const ONE: &'static str = "Agent";
    const SUMMARIES: Summaries = Summaries {
        list: "List agents in app",
        create: "Create new agent",
        get: "Get agent details",
        update: "Update agent",
        delete: "Delete agent",
    };

    fn create_example() -> Example {
        Example::body(json!({
            "name": "Customer Support Bot",
            "description": "Answers customer questions",
            "system_prompt": "You are a helpful assistant.",
            "temperature": 0.7,
        }))
    }

    fn update_example() -> Example {
        Example::body(json!({ "description": "Answers questions of customers", "temperature": 0.3 }))
    }

    async fn create(
        services: &Services,
        grant: &Grant<Editor>,
        request: CreateAgentRequest,
    ) -> Result<Agent, WorkspaceError> {
        services.workspace.create_agent(grant, request.into()).await
    }

    async fn update(
        services: &Services,
        grant: &Grant<Editor>,
        id: AgentId,
        request: UpdateAgentRequest,
    ) -> Result<Agent, WorkspaceError> {
        services.workspace.update_agent(grant, id, request.into()).await
    }

    fn after_delete(services: &Services, id: AgentId) {
        services.turns.cancel_agent(id);
    }
}
