use omni_domain::{
    AgentId, AppId, Author, Citation, Conversation, ConversationId, ConversationSource, Message, MessageId,
    MessageStatus, Timestamp, TurnId,
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{CitationResponse, TokenUsage};

/// A conversation of the caller with an agent.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ConversationResponse {
    /// Its number.
    #[schema(value_type = i64)]
    pub conversation_id: ConversationId,
    /// The app of the agent.
    #[schema(value_type = i64)]
    pub app_id: AppId,
    /// The agent.
    #[schema(value_type = i64)]
    pub agent_id: AgentId,
    /// The agent's name.
    pub agent_name: String,
    /// Made from the first message.
    pub title: Option<String>,
    /// `playground`, `marketplace` or `api`.
    #[schema(value_type = String)]
    pub source: ConversationSource,
    /// How many messages it has.
    pub message_count: u64,
    /// The beginning of the latest message.
    pub last_message: Option<String>,
    /// When it began.
    #[serde(with = "time::serde::rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    pub create_date: Timestamp,
    /// When its latest answer ended.
    #[serde(with = "time::serde::rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    pub update_date: Timestamp,
}

impl From<Conversation> for ConversationResponse {
    fn from(conversation: Conversation) -> Self {
        Self {
            conversation_id: conversation.id,
            app_id: conversation.app,
            agent_id: conversation.agent,
            agent_name: conversation.agent_name,
            title: conversation.title,
            source: conversation.source,
            message_count: conversation.message_count,
            last_message: conversation.last_message,
            create_date: conversation.created,
            update_date: conversation.updated,
        }
    }
}

/// A conversation with its messages.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct HistoryResponse {
    /// The conversation.
    #[serde(flatten)]
    pub conversation: ConversationResponse,
    /// Its messages in the order they came: the latest, or those before the `before` of the request.
    pub messages: Vec<MessageResponse>,
    /// Whether there are messages before these.
    pub has_more: bool,
}

/// One message.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct MessageResponse {
    /// Its number; later messages have higher ones.
    #[schema(value_type = i64)]
    pub message_id: MessageId,
    /// The turn that it is part of: a question and its answer share one.
    #[schema(value_type = i64)]
    pub turn_id: TurnId,
    /// Who it is from: `user` or `agent`.
    #[schema(value_type = String)]
    pub role: Author,
    /// What it says.
    pub content: String,
    /// `complete`, `streaming`, `failed` or `interrupted`.
    #[schema(value_type = String)]
    pub status: MessageStatus,
    /// Why it failed.
    pub error: Option<String>,
    /// What the answer cost; null on a person's message.
    pub usage: Option<TokenUsage>,
    /// The passages that the model was given for its answer, by the numbers that it cites; none on a person's message.
    pub citations: Vec<CitationResponse>,
    /// When it came.
    #[serde(with = "time::serde::rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    pub create_date: Timestamp,
}

impl MessageResponse {
    /// Makes the answer of a message and what was found for its turn.
    #[must_use]
    pub fn new(message: Message, citations: &[Citation]) -> Self {
        let citations = if message.author == Author::Agent { citations } else { &[] };
        Self {
            citations: citations.iter().map(CitationResponse::from).collect(),
            message_id: message.id,
            turn_id: message.turn,
            role: message.author,
            content: message.content,
            status: message.status,
            error: message.error,
            usage: message.usage.map(|usage| TokenUsage {
                input_tokens: usage.tokens.input,
                output_tokens: usage.tokens.output,
                estimated: usage.estimated,
            }),
            create_date: message.created,
        }
    }
}
