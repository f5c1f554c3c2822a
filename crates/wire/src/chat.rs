use omni_domain::{AgentId, ConversationId, MessageId, TurnId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::CitationResponse;

/// A message to an agent.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
pub struct ChatRequest {
    /// What the person says.
    pub message: String,
    /// The conversation to go on with; left out, the latest one with this agent, or the first.
    #[serde(default)]
    #[schema(value_type = Option<i64>)]
    pub conversation_id: Option<ConversationId>,
    /// Begins a new conversation.
    #[serde(default)]
    pub new_conversation: bool,
}

/// A whole answer, for callers that do not stream.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ChatResponse {
    /// The answer.
    pub response: String,
    /// The conversation that it is part of.
    #[schema(value_type = i64)]
    pub conversation_id: ConversationId,
    /// The agent.
    #[schema(value_type = i64)]
    pub agent_id: AgentId,
    /// The agent's name.
    pub agent_name: String,
    /// The turn.
    #[schema(value_type = i64)]
    pub turn_id: TurnId,
    /// The agent's message.
    #[schema(value_type = i64)]
    pub message_id: MessageId,
    /// Why the model stopped: `stop`, `length` and the like.
    pub finish_reason: String,
    /// What it cost, if that is known.
    pub usage: Option<TokenUsage>,
    /// The passages that the model was given, by the numbers that it cites.
    pub citations: Vec<CitationResponse>,
}

/// What an answer cost.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
pub struct TokenUsage {
    /// Tokens of the prompt.
    pub input_tokens: u64,
    /// Tokens of the answer.
    pub output_tokens: u64,
    /// Whether the provider did not say, and these are estimates.
    pub estimated: bool,
}

/// Which conversation to empty.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
pub struct ResetRequest {
    /// The conversation; left out, the one that a chat would go on with.
    #[serde(default)]
    #[schema(value_type = Option<i64>)]
    pub conversation_id: Option<ConversationId>,
}

/// What was emptied.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ResetResponse {
    /// Always true: an empty conversation is what was asked for.
    pub success: bool,
    /// What was done.
    pub message: String,
    /// The conversation that was emptied; null if there was none.
    #[schema(value_type = Option<i64>)]
    pub conversation_id: Option<ConversationId>,
}
