//! OpenAI's chat completions, which Azure, Mistral and most local servers speak too.

use std::fmt;

use reqwest::header::HeaderMap;
use serde::de::{Deserializer, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::Url;

use super::{
    Decoder, Line, Progress, Unreadable, Wire, base_url, json_headers, key_of, prompt, put_bearer, required_key,
};
use crate::chat::{ChatMessage, ChatRequest, FinishReason, Role};
use crate::error::ModelError;
use crate::remote::Complaint;
use crate::target::{ModelTarget, below};

const OPENAI: &str = "https://api.openai.com/v1/";
const MISTRAL: &str = "https://api.mistral.ai/v1/";
const ACCEPT_STREAM: &str = "text/event-stream";
/// How the names of models begin that know the limit of an answer only by its newer name.
const NEWER_MODELS: [&str; 4] = ["o1", "o3", "o4", "gpt-5"];

pub(super) fn line_to_openai(target: &ModelTarget) -> Result<Line, ModelError> {
    let (base, headers) = base_and_headers_of_openai(target, ACCEPT_STREAM)?;
    let usual = base.host_str() == Some("api.openai.com");
    let limit = if usual { LimitName::Completion } else { LimitName::of_model(&target.model) };
    Ok(line(&base, headers, OpenAi { model: target.model.clone(), asks_for_usage: true, limit }))
}

pub(super) fn line_to_mistral(target: &ModelTarget) -> Result<Line, ModelError> {
    let (base, headers) = base_and_headers_of_mistral(target, ACCEPT_STREAM)?;
    // Mistral reports usage unasked, and takes no fields that it does not know.
    let wire = OpenAi { model: target.model.clone(), asks_for_usage: false, limit: LimitName::Tokens };
    Ok(line(&base, headers, wire))
}

/// A line to a server at home that speaks OpenAI's format below `base`.
pub(super) fn line_to_compatible(target: &ModelTarget, base: &Url) -> Result<Line, ModelError> {
    let wire = OpenAi { model: target.model.clone(), asks_for_usage: true, limit: LimitName::Tokens };
    Ok(line(base, bearer_headers(target, ACCEPT_STREAM)?, wire))
}

/// The base URL of an OpenAI target and the headers of its requests.
pub(super) fn base_and_headers_of_openai(
    target: &ModelTarget,
    accept: &'static str,
) -> Result<(Url, HeaderMap), ModelError> {
    base_and_headers(target, accept, OPENAI, "api.openai.com")
}

/// The same of a Mistral target.
pub(super) fn base_and_headers_of_mistral(
    target: &ModelTarget,
    accept: &'static str,
) -> Result<(Url, HeaderMap), ModelError> {
    base_and_headers(target, accept, MISTRAL, "api.mistral.ai")
}

fn base_and_headers(
    target: &ModelTarget,
    accept: &'static str,
    usual: &str,
    official_host: &str,
) -> Result<(Url, HeaderMap), ModelError> {
    let base = base_url(target, usual)?;
    if base.host_str() == Some(official_host) {
        required_key(target)?;
    }
    Ok((base, bearer_headers(target, accept)?))
}

/// Headers with the key as a bearer token, if there is one.
pub(super) fn bearer_headers(target: &ModelTarget, accept: &'static str) -> Result<HeaderMap, ModelError> {
    let mut headers = json_headers(accept);
    if let Some(key) = key_of(target) {
        put_bearer(&mut headers, key)?;
    }
    Ok(headers)
}

/// Where a server that speaks OpenAI's format below `base` serves something.
pub(super) fn endpoint(base: &Url, what: &[&str]) -> Url {
    // The hosts of the providers themselves serve nothing at their root.
    let official = matches!(base.host_str(), Some("api.openai.com" | "api.mistral.ai"));
    if official && base.path() == "/" { below(&below(base, &["v1"]), what) } else { below(base, what) }
}

fn line(base: &Url, headers: HeaderMap, wire: OpenAi) -> Line {
    Line { url: endpoint(base, &["chat", "completions"]), headers, wire: Box::new(wire) }
}

/// The format with its variations.
#[derive(Debug)]
pub(super) struct OpenAi {
    pub(super) model: String,
    /// Whether usage is only reported if asked for.
    pub(super) asks_for_usage: bool,
    pub(super) limit: LimitName,
}

/// What the limit of an answer is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LimitName {
    /// `max_tokens`, which all servers knew first.
    Tokens,
    /// `max_completion_tokens`.
    Completion,
}

impl LimitName {
    pub(super) fn of_model(model: &str) -> Self {
        let newer = NEWER_MODELS.iter().any(|start| model.starts_with(start));
        if newer { Self::Completion } else { Self::Tokens }
    }
}

#[derive(Serialize)]
struct Message<'a> {
    role: &'static str,
    content: Said<'a>,
}

/// A text, as every server takes it, or parts where there is something to see.
#[derive(Serialize)]
#[serde(untagged)]
enum Said<'a> {
    Text(&'a str),
    Parts(Vec<SaidPart<'a>>),
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum SaidPart<'a> {
    Text { text: &'a str },
    ImageUrl { image_url: ImageUrl },
}

#[derive(Serialize)]
struct ImageUrl {
    url: String,
}

impl<'a> Said<'a> {
    fn of(message: &'a ChatMessage) -> Self {
        if message.images.is_empty() {
            return Self::Text(&message.content);
        }
        let text = prompt::text_beside_images(message).map(|text| SaidPart::Text { text });
        let image_url = |url| SaidPart::ImageUrl { image_url: ImageUrl { url } };
        let images = message.images.iter().map(|image| image_url(image.data_url()));
        Self::Parts(text.into_iter().chain(images).collect())
    }
}

#[derive(Serialize)]
struct Body<'a> {
    model: &'a str,
    messages: Vec<Message<'a>>,
    stream: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    stream_options: Option<StreamOptions>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_completion_tokens: Option<u32>,
}

#[derive(Serialize)]
struct StreamOptions {
    include_usage: bool,
}

impl Wire for OpenAi {
    fn body(&self, request: &ChatRequest) -> serde_json::Result<Vec<u8>> {
        let instructions = prompt::instructions(request);
        let system = instructions.as_deref().map(|text| Message { role: "system", content: Said::Text(text) });
        let messages = prompt::spoken(request).map(|message| Message {
            role: match message.role {
                Role::User => "user",
                Role::Assistant => "assistant",
            },
            content: Said::of(message),
        });
        let limit = |name| request.max_tokens.filter(|_| self.limit == name);
        serde_json::to_vec(&Body {
            model: &self.model,
            messages: system.into_iter().chain(messages).collect(),
            stream: true,
            stream_options: self.asks_for_usage.then_some(StreamOptions { include_usage: true }),
            temperature: request.temperature,
            max_tokens: limit(LimitName::Tokens),
            max_completion_tokens: limit(LimitName::Completion),
        })
    }

    fn decoder(&self) -> Box<dyn Decoder> {
        Box::new(Chunks)
    }
}

struct Chunks;

#[derive(Deserialize)]
struct Chunk {
    choices: Option<Vec<Choice>>,
    usage: Option<Totals>,
    error: Option<Value>,
}

#[derive(Deserialize)]
struct Choice {
    delta: Option<Delta>,
    finish_reason: Option<String>,
}

#[derive(Deserialize)]
struct Delta {
    content: Option<Content>,
    /// Of DeepSeek, vLLM and others.
    reasoning_content: Option<String>,
    /// Of OpenRouter, Ollama and others.
    reasoning: Option<String>,
    /// What OpenAI's models say instead of an answer that they refuse; it is what the person has to read.
    refusal: Option<String>,
}

#[derive(Deserialize)]
struct Totals {
    prompt_tokens: Option<u64>,
    completion_tokens: Option<u64>,
}

impl Decoder for Chunks {
    fn read(&mut self, frame: &[u8], progress: &mut Progress) -> Result<(), Unreadable> {
        if frame == b"[DONE]" {
            progress.done();
            return Ok(());
        }
        let chunk: Chunk = serde_json::from_slice(frame)?;
        if let Some(error) = chunk.error {
            return Err(Unreadable::Complaint(Complaint::of(&error)));
        }
        if let Some(Totals { prompt_tokens, completion_tokens }) = chunk.usage {
            progress.usage(prompt_tokens.unwrap_or_default(), completion_tokens.unwrap_or_default());
        }
        let Some(choice) = chunk.choices.into_iter().flatten().next() else { return Ok(()) };
        if let Some(delta) = choice.delta {
            let content = delta.content.unwrap_or_default();
            for thought in [content.thinking, delta.reasoning_content.or(delta.reasoning)].into_iter().flatten() {
                progress.reasoning(thought);
            }
            for text in [content.text, delta.refusal].into_iter().flatten() {
                progress.token(text);
            }
        }
        if let Some(reason) = choice.finish_reason {
            progress.finish(finish_reason(&reason));
        }
        Ok(())
    }
}

fn finish_reason(reason: &str) -> FinishReason {
    match reason {
        "stop" | "eos" => FinishReason::Stop,
        "length" | "model_length" => FinishReason::Length,
        "content_filter" => FinishReason::Filtered,
        "tool_calls" | "function_call" => FinishReason::ToolCalls,
        _ => FinishReason::Other,
    }
}

/// The content of a delta: a text, or with Mistral's reasoning models a list of parts.
#[derive(Default)]
struct Content {
    text: Option<String>,
    thinking: Option<String>,
}

#[derive(Deserialize)]
struct Part {
    text: Option<String>,
    thinking: Option<Vec<Self>>,
}

impl<'de> Deserialize<'de> for Content {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ContentVisitor)
    }
}

/// By hand, since an untagged enum would copy each content before it looks at it.
struct ContentVisitor;

impl<'de> Visitor<'de> for ContentVisitor {
    type Value = Content;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text or a list of parts")
    }

    fn visit_str<E>(self, text: &str) -> Result<Content, E> {
        Ok(Content { text: Some(text.to_owned()), thinking: None })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut parts: A) -> Result<Content, A::Error> {
        let mut content = Content::default();
        while let Some(part) = parts.next_element::<Part>()? {
            content.text = joined(content.text, part.text);
            for thought in part.thinking.into_iter().flatten() {
                content.thinking = joined(content.thinking, thought.text);
            }
        }
        Ok(content)
    }
}

fn joined(before: Option<String>, more: Option<String>) -> Option<String> {
    match (before, more) {
        (Some(before), Some(more)) => Some(before + &more),
        (before, more) => before.or(more),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::ModelEvent;

    fn read(frame: &str) -> Vec<ModelEvent> {
        let mut progress = Progress::new(1_000);
        Chunks.read(frame.as_bytes(), &mut progress).unwrap();
        std::iter::from_fn(|| progress.next()).collect()
    }

    #[test]
    fn every_form_of_delta_is_read() {
        let token = |text: &str| ModelEvent::Token(text.into());
        let thought = |text: &str| ModelEvent::Reasoning(text.into());
        for (delta, events) in [
            (r#"{"role":"assistant","content":""}"#, vec![]),
            (r#"{"content":null,"tool_calls":[]}"#, vec![]),
            (r#"{"content":"a\n\u00e9"}"#, vec![token("a\né")]),
            (r#"{"reasoning_content":"r","content":null}"#, vec![thought("r")]),
            (r#"{"reasoning":"r","content":"a"}"#, vec![thought("r"), token("a")]),
            (r#"{"content":null,"refusal":"no"}"#, vec![token("no")]),
            (r#"{"content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]}"#, vec![token("ab")]),
            (r#"{"content":[{"type":"thinking","thinking":[{"type":"text","text":"r"}]}]}"#, vec![thought("r")]),
        ] {
            let frame = format!(r#"{{"id":"x","choices":[{{"index":0,"delta":{delta},"finish_reason":null}}]}}"#);
            assert_eq!(read(&frame), events, "{delta}");
        }
        for frame in [r#"{"choices":[]}"#, r#"{"choices":null,"usage":null}"#, "{}", r#"{"choices":[{"index":0}]}"#] {
            assert_eq!(read(frame), [], "{frame}");
        }
    }

    #[test]
    fn other_frames_are_not_read() {
        for frame in ["", "<html>", "[1]", r#"{"choices":[{"delta":{"content":7}}]}"#] {
            let unreadable = Chunks.read(frame.as_bytes(), &mut Progress::new(9)).unwrap_err();
            assert!(matches!(unreadable, Unreadable::NotOfThisWire), "{frame}");
        }
        let unreadable = Chunks.read(br#"{"error":{"message":"x"}}"#, &mut Progress::new(9)).unwrap_err();
        assert!(matches!(unreadable, Unreadable::Complaint(_)));
    }

    #[test]
    fn newer_models_have_a_newer_limit() {
        assert_eq!(LimitName::of_model("gpt-4o"), LimitName::Tokens);
        assert_eq!(LimitName::of_model("o3-mini"), LimitName::Completion);
    }
}
