use omni_domain::{Agent, AgentDraft, AgentId, AgentPatch, AppId, Memory, Patch, ServiceId, SiloId, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A new agent.
#[derive(Debug, Clone, Deserialize, ToSchema)]
pub struct CreateAgentRequest {
    /// What members will call it; unique in the app.
    #[schema(min_length = 1, max_length = 255)]
    pub name: String,
    /// What it is for.
    #[serde(default)]
    pub description: Option<String>,
    /// What the model is told before every conversation.
    #[serde(default)]
    pub system_prompt: Option<String>,
    /// What is made of each message before the model reads it; `{question}` stands for the message.
    #[serde(default)]
    pub prompt_template: Option<String>,
    /// The AI service that answers; without one the built-in `local` model does.
    #[serde(default)]
    #[schema(value_type = Option<i64>)]
    pub service_id: Option<ServiceId>,
    /// The silo that it draws on.
    #[serde(default)]
    #[schema(value_type = Option<i64>)]
    pub silo_id: Option<SiloId>,
    /// The sampling temperature from 0 to 2, before the service's own.
    #[serde(default)]
    pub temperature: Option<f32>,
    /// The longest answer in tokens, before the service's own.
    #[serde(default)]
    pub max_tokens: Option<u32>,
    /// Whether it remembers the conversation.
    #[serde(default)]
    pub has_memory: Option<bool>,
    /// How many of the latest messages it remembers at most.
    #[serde(default)]
    pub memory_max_messages: Option<u32>,
    /// About how many tokens of them it remembers at most.
    #[serde(default)]
    pub memory_max_tokens: Option<u32>,
}

impl From<CreateAgentRequest> for AgentDraft {
    fn from(request: CreateAgentRequest) -> Self {
        let usual = Memory::default();
        Self {
            name: request.name,
            description: request.description,
            system_prompt: request.system_prompt,
            prompt_template: request.prompt_template,
            service: request.service_id,
            silo: request.silo_id,
            temperature: request.temperature,
            max_tokens: request.max_tokens,
            memory: Memory {
                enabled: request.has_memory.unwrap_or(usual.enabled),
                max_messages: request.memory_max_messages.unwrap_or(usual.max_messages),
                max_tokens: request.memory_max_tokens.unwrap_or(usual.max_tokens),
            },
        }
    }
}

/// A change of an agent; what is left out stays.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
pub struct UpdateAgentRequest {
    /// A new name.
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 255)]
    pub name: Patch<String>,
    /// A new description.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub description: Patch<String>,
    /// New instructions.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub system_prompt: Patch<String>,
    /// A new template.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub prompt_template: Patch<String>,
    /// Another AI service; null goes back to the built-in model.
    #[serde(default)]
    #[schema(value_type = Option<i64>)]
    pub service_id: Patch<ServiceId>,
    /// Another silo; null for none.
    #[serde(default)]
    #[schema(value_type = Option<i64>)]
    pub silo_id: Patch<SiloId>,
    /// Another temperature; null goes back to the service's.
    #[serde(default)]
    #[schema(value_type = Option<f32>)]
    pub temperature: Patch<f32>,
    /// Another limit; null goes back to the service's.
    #[serde(default)]
    #[schema(value_type = Option<u32>)]
    pub max_tokens: Patch<u32>,
    /// Whether it remembers the conversation.
    #[serde(default)]
    #[schema(value_type = Option<bool>)]
    pub has_memory: Patch<bool>,
    /// How many messages it remembers.
    #[serde(default)]
    #[schema(value_type = Option<u32>)]
    pub memory_max_messages: Patch<u32>,
    /// How many tokens it remembers.
    #[serde(default)]
    #[schema(value_type = Option<u32>)]
    pub memory_max_tokens: Patch<u32>,
}

impl From<UpdateAgentRequest> for AgentPatch {
    fn from(request: UpdateAgentRequest) -> Self {
        Self {
            name: request.name,
            description: request.description,
            system_prompt: request.system_prompt,
            prompt_template: request.prompt_template,
            service: request.service_id,
            silo: request.silo_id,
            temperature: request.temperature,
            max_tokens: request.max_tokens,
            memory_enabled: request.has_memory,
            memory_max_messages: request.memory_max_messages,
            memory_max_tokens: request.memory_max_tokens,
        }
    }
}

/// An agent.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AgentResponse {
    /// Its number.
    #[schema(value_type = i64)]
    pub agent_id: AgentId,
    /// The app that it belongs to.
    #[schema(value_type = i64)]
    pub app_id: AppId,
    /// What members call it.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// What the model is told before every conversation.
    pub system_prompt: Option<String>,
    /// What is made of each message before the model reads it.
    pub prompt_template: Option<String>,
    /// The AI service that answers; null is the built-in `local` model.
    #[schema(value_type = Option<i64>)]
    pub service_id: Option<ServiceId>,
    /// The silo that it draws on.
    #[schema(value_type = Option<i64>)]
    pub silo_id: Option<SiloId>,
    /// The sampling temperature; null is the service's.
    pub temperature: Option<f32>,
    /// The longest answer in tokens; null is the service's.
    pub max_tokens: Option<u32>,
    /// Whether it remembers the conversation.
    pub has_memory: bool,
    /// How many of the latest messages it remembers at most.
    pub memory_max_messages: u32,
    /// About how many tokens of them it remembers at most.
    pub memory_max_tokens: u32,
    /// How many turns it has ended.
    pub request_count: u64,
    /// When it was made.
    #[serde(with = "time::serde::rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    pub create_date: Timestamp,
    /// When it last changed.
    #[serde(with = "time::serde::rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    pub update_date: Timestamp,
}

impl From<Agent> for AgentResponse {
    fn from(agent: Agent) -> Self {
        Self {
            agent_id: agent.id,
            app_id: agent.app,
            name: agent.name,
            description: agent.description,
            system_prompt: agent.system_prompt,
            prompt_template: agent.prompt_template,
            service_id: agent.service,
            silo_id: agent.silo,
            temperature: agent.temperature,
            max_tokens: agent.max_tokens,
            has_memory: agent.memory.enabled,
            memory_max_messages: agent.memory.max_messages,
            memory_max_tokens: agent.memory.max_tokens,
            request_count: agent.request_count,
            create_date: agent.created,
            update_date: agent.updated,
        }
    }
}
