use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures::Stream;
use futures::future::BoxFuture;

use crate::error::ModelError;
use crate::image::Image;

/// What an image costs, about: between what providers count for small and for large ones.
const TOKENS_OF_IMAGE: u64 = 1_000;

/// A model that can be talked to.
pub trait ChatModel: fmt::Debug + Send + Sync {
    /// Asks, and answers as soon as the provider has accepted the request; the answer then comes by the stream.
    ///
    /// Dropping the future or the stream ends the call to the provider at once.
    ///
    /// # Errors
    /// The future fails if there is no answer at all, the stream if the answer breaks off.
    fn stream(&self, request: ChatRequest) -> BoxFuture<'static, Result<ChatStream, ModelError>>;

    /// Whether it may see images. A provider knows which of its models do, and refuses an image for the others; this is
    /// only false for a model that surely does not.
    fn may_see(&self) -> bool {
        true
    }
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
    /// What was shown with it. Only the person can show something; at most [`Image::MOST`] in a request.
    pub images: Vec<Image>,
}

impl ChatMessage {
    /// Something that the person said.
    pub fn user(content: impl Into<String>) -> Self {
        Self { role: Role::User, content: content.into(), images: Vec::new() }
    }

    /// The same message with these images.
    #[must_use]
    pub fn with_images(self, images: Vec<Image>) -> Self {
        Self { images, ..self }
    }

    /// Whether it neither says nor shows anything.
    pub(crate) fn is_silent(&self) -> bool {
        self.images.is_empty() && self.content.trim().is_empty()
    }

    /// Something that the model said.
    pub fn assistant(content: impl Into<String>) -> Self {
        Self { role: Role::Assistant, content: content.into(), images: Vec::new() }
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
    /// rule of thumb for most tokenizers and languages, and a thousand tokens to an image.
    #[must_use]
    pub fn estimate_request(request: &ChatRequest) -> Self {
        let texts = request.messages.iter().map(|message| &message.content).chain(&request.system);
        let texts = texts.chain(request.passages.iter().map(|passage| &passage.text));
        let images = request.messages.iter().map(|message| message.images.len()).sum::<usize>();
        let of_images = u64::try_from(images).unwrap_or(u64::MAX).saturating_mul(TOKENS_OF_IMAGE);
        let input_tokens = texts.map(|text| tokens(text)).sum::<u64>().saturating_add(of_images);
        Self { input_tokens, output_tokens: 0, estimated: true }
    }

    /// The same with the answer, as far as it came.
    #[must_use]
    pub fn with_answer(self, answer: &str) -> Self {
        Self { output_tokens: tokens(answer), ..self }
    }
}

/// The tokens of a text, about.
pub(crate) fn tokens(text: &str) -> u64 {
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
