use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures::Stream;
use futures::future::BoxFuture;

use crate::error::ModelError;

/// A model that can be talked to.
pub trait ChatModel: fmt::Debug + Send + Sync {
    /// Asks, and answers as soon as the provider has accepted the request; the answer then comes by the stream.
    ///
    /// Dropping the future or the stream ends the call to the provider at once.
    ///
    /// # Errors
    /// The future fails if there is no answer at all, the stream if the answer breaks off.
    fn stream(&self, request: ChatRequest) -> BoxFuture<'static, Result<ChatStream, ModelError>>;
}

/// What a model is asked.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct ChatRequest {
    /// How the model shall behave.
    pub system: Option<String>,
    /// The conversation, the oldest message first; the last is the one to answer.
    pub messages: Vec<ChatMessage>,
    /// What was found for the question. Providers get it as a part of the system prompt.
    pub passages: Vec<Passage>,
    /// How adventurous the answer may be, from 0 to 2; the provider's default if `None`.
    pub temperature: Option<f32>,
    /// The longest answer in tokens; the provider's default if `None`.
    pub max_tokens: Option<u32>,
}

impl ChatRequest {
    /// A request with these messages and nothing else.
    #[must_use]
    pub fn new(messages: Vec<ChatMessage>) -> Self {
        Self { messages, ..Self::default() }
    }
}

/// One message of a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ChatMessage {
    /// Who said it.
    pub role: Role,
    /// What was said.
    pub content: String,
}

impl ChatMessage {
    /// Something that the person said.
    pub fn user(content: impl Into<String>) -> Self {
        Self { role: Role::User, content: content.into() }
    }

    /// Something that the model said.
    pub fn assistant(content: impl Into<String>) -> Self {
        Self { role: Role::Assistant, content: content.into() }
    }
}

/// Who said a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Role {
    /// The person.
    User,
    /// The model.
    Assistant,
}

/// A piece of the app's knowledge that may hold the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Passage {
    /// What it says.
    pub text: String,
    /// Where it is from, as a person would call it: a file's or a page's name.
    pub source: String,
}

impl Passage {
    /// A piece of `text` from `source`.
    pub fn new(text: impl Into<String>, source: impl Into<String>) -> Self {
        Self { text: text.into(), source: source.into() }
    }
}

/// A part of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ModelEvent {
    /// The next piece of the answer; never empty.
    Token(String),
    /// The next piece of what the model thinks before it answers; not to be shown as the answer.
    Reasoning(String),
    /// What the answer cost. At most once, before the end; some servers never say.
    Usage(Usage),
    /// The answer is complete. Nothing comes after it.
    End {
        /// Why it ended.
        finish_reason: FinishReason,
    },
}

/// What an answer cost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Tokens of everything that was sent.
    pub input_tokens: u64,
    /// Tokens of the answer and of the reasoning before it.
    pub output_tokens: u64,
    /// Whether this is an estimate, rather than the provider's count.
    pub estimated: bool,
}

impl Usage {
    /// What an answer to this request will have cost, about, for a model that does not say: four bytes to a token, as a
    /// rule of thumb for most tokenizers and languages.
    #[must_use]
    pub fn estimate_request(request: &ChatRequest) -> Self {
        let texts = request.messages.iter().map(|message| &message.content).chain(&request.system);
        let texts = texts.chain(request.passages.iter().map(|passage| &passage.text));
        Self { input_tokens: texts.map(|text| tokens(text)).sum(), output_tokens: 0, estimated: true }
    }

    /// The same with the answer, as far as it came.
    #[must_use]
    pub fn with_answer(self, answer: &str) -> Self {
        Self { output_tokens: tokens(answer), ..self }
    }
}

fn tokens(text: &str) -> u64 {
    u64::try_from(text.len().div_ceil(4)).unwrap_or(u64::MAX)
}

/// Why an answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum FinishReason {
    /// The model was done.
    Stop,
    /// The answer reached its longest permitted length.
    Length,
    /// The provider's content filter stopped it.
    Filtered,
    /// The model wants a tool called.
    ToolCalls,
    /// Another reason of the provider's own.
    Other,
}

impl FinishReason {
    /// The reason's name in snake case, for storage and for other programs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stop => "stop",
            Self::Length => "length",
            Self::Filtered => "content_filter",
            Self::ToolCalls => "tool_calls",
            Self::Other => "other",
        }
    }
}

/// An answer as it is written.
///
/// It ends after [`ModelEvent::End`] or after the first error, and one of the two always comes. Events that arrived
/// together are ready together: a reader that polls until `Pending` (such as `StreamExt::ready_chunks`) gets all of them
/// on one wake-up.
pub struct ChatStream {
    events: Pin<Box<dyn Stream<Item = Result<ModelEvent, ModelError>> + Send>>,
}

impl ChatStream {
    /// A stream of these events, which must keep the rules above.
    pub fn new(events: impl Stream<Item = Result<ModelEvent, ModelError>> + Send + 'static) -> Self {
        Self { events: Box::pin(events) }
    }
}

impl Stream for ChatStream {
    type Item = Result<ModelEvent, ModelError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.events.as_mut().poll_next(cx)
    }
}

impl fmt::Debug for ChatStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChatStream").finish_non_exhaustive()
    }
}
