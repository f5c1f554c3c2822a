//! What the server says in each provider's wire format: requests are read here, and frames are rendered.

mod anthropic;
mod gemini;
mod inquiry;
mod ollama;
mod openai;
mod route;

use serde_json::Value;

use crate::script::Finish;

pub(crate) use inquiry::Inquiry;
pub(crate) use route::{Route, route};

/// A wire format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wire {
    /// OpenAI's chat completions, in one of their manners.
    OpenAi(Manner),
    /// Anthropic's messages.
    Anthropic,
    /// Gemini's `generateContent` and `streamGenerateContent`.
    Gemini,
    /// Ollama's own chat: lines of JSON.
    Ollama,
}

/// What differs between those who speak OpenAI's format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    /// Usage comes in a chunk of its own, if asked for.
    OpenAi,
    /// As OpenAI, after a chunk about content filters that has no choices.
    Azure,
    /// Usage comes with the finish reason, unasked.
    Mistral,
}

/// A request for an answer.
#[derive(Debug)]
pub(crate) struct Call {
    pub wire: Wire,
    pub model: String,
    /// The key that came with the request.
    pub key: String,
    pub streamed: bool,
    /// Whether usage was asked for.
    pub usage: bool,
    /// The last user message.
    pub question: String,
    /// Words in all messages.
    pub input_tokens: usize,
}

/// What the frames around the words say.
#[derive(Debug)]
pub(crate) struct Outline<'a> {
    pub model: &'a str,
    pub thinks: bool,
    pub usage: bool,
    pub finish: Finish,
    pub input_tokens: usize,
    pub output_tokens: usize,
}

/// Everything of an answer but its words, rendered before the first of them is due.
#[derive(Debug, Default)]
pub(crate) struct Frames {
    pub content_type: &'static str,
    pub opening: Vec<u8>,
    pub thought: Template,
    /// Between the reasoning and the answer.
    pub turn: Vec<u8>,
    pub word: Template,
    pub tool_call: Vec<u8>,
    pub closing: Vec<u8>,
    /// The error event.
    pub failure: Vec<u8>,
}

/// A frame around a JSON string.
#[derive(Debug, Default)]
pub(crate) struct Template {
    pub before: Vec<u8>,
    pub after: Vec<u8>,
}

impl Template {
    fn new(before: impl Into<Vec<u8>>, after: impl Into<Vec<u8>>) -> Self {
        Self { before: before.into(), after: after.into() }
    }
}

impl Wire {
    pub(crate) fn frames(self, outline: &Outline<'_>) -> Frames {
        match self {
            Self::OpenAi(manner) => openai::frames(manner, outline),
            Self::Anthropic => anthropic::frames(outline),
            Self::Gemini => gemini::frames(outline),
            Self::Ollama => ollama::frames(outline),
        }
    }

    /// The answer to a request that did not ask for a stream.
    pub(crate) fn whole(self, outline: &Outline<'_>, text: &str) -> Value {
        match self {
            Self::OpenAi(_) => openai::whole(outline, text),
            Self::Anthropic => anthropic::whole(outline, text),
            Self::Gemini => gemini::whole(outline, text),
            Self::Ollama => ollama::whole(outline, text),
        }
    }

    /// The body of an error response.
    pub(crate) fn refusal(self, status: u16, message: &str) -> Value {
        match self {
            Self::OpenAi(_) => openai::refusal(status, message),
            Self::Anthropic => anthropic::refusal(status, message),
            Self::Gemini => gemini::refusal(status, message),
            Self::Ollama => ollama::refusal(message),
        }
    }
}

/// Appends `text` as a JSON string.
pub(crate) fn quote(text: &str, into: &mut Vec<u8>) {
    into.extend_from_slice(Value::from(text).to_string().as_bytes());
}

fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}
