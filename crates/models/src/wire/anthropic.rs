//! Anthropic's messages.

use reqwest::header::HeaderValue;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Decoder, Line, Progress, Unreadable, Wire, base_url, json_headers, key_of, prompt, put_key, required_key};
use crate::chat::{ChatMessage, ChatRequest, FinishReason, Role};
use crate::error::ModelError;
use crate::remote::Complaint;
use crate::target::{ModelTarget, below, last_segment};

const ANTHROPIC: &str = "https://api.anthropic.com/v1/";
const VERSION: &str = "2023-06-01";
/// This provider wants a limit with every request: one that is long enough for most answers and that all but the oldest
/// models take.
const USUAL_LIMIT: u32 = 8_192;
const OLDEST_MODELS: [&str; 3] = ["claude-3-opus", "claude-3-sonnet", "claude-3-haiku"];
const LIMIT_OF_OLDEST: u32 = 4_096;

pub(super) fn line_to(target: &ModelTarget) -> Result<Line, ModelError> {
    let base = base_url(target, ANTHROPIC)?;
    if base.host_str() == Some("api.anthropic.com") {
        required_key(target)?;
    }
    let mut headers = json_headers("text/event-stream");
    headers.insert("anthropic-version", HeaderValue::from_static(VERSION));
    if let Some(key) = key_of(target) {
        put_key(&mut headers, "x-api-key", key)?;
    }
    // Whoever speaks this format serves it below /v1, and some write the base URL without it.
    let url = match last_segment(&base) {
        Some("messages") => base,
        _ => below(&base, &["v1", "messages"]),
    };
    Ok(Line { url, headers, wire: Box::new(Anthropic { model: target.model.clone() }) })
}

#[derive(Debug)]
struct Anthropic {
    model: String,
}

#[derive(Serialize)]
struct Said<'a> {
    role: &'static str,
    content: Content<'a>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Content<'a> {
    Text(&'a str),
    Blocks(Vec<Block<'a>>),
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Block<'a> {
    Image { source: Source },
    Text { text: &'a str },
}

#[derive(Serialize)]
#[serde(tag = "type", rename = "base64")]
struct Source {
    media_type: &'static str,
    data: String,
}

impl<'a> Content<'a> {
    /// Images come first, as Anthropic advises.
    fn of(message: &'a ChatMessage) -> Self {
        if message.images.is_empty() {
            return Self::Text(&message.content);
        }
        let source = |media_type, data| Block::Image { source: Source { media_type, data } };
        let images = message.images.iter().map(|image| source(image.media_type(), image.base64()));
        let text = prompt::text_beside_images(message).map(|text| Block::Text { text });
        Self::Blocks(images.chain(text).collect())
    }
}

#[derive(Serialize)]
struct Body<'a> {
    model: &'a str,
    messages: Vec<Said<'a>>,
    stream: bool,
    max_tokens: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    system: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f32>,
}

impl Wire for Anthropic {
    fn body(&self, request: &ChatRequest) -> serde_json::Result<Vec<u8>> {
        let oldest = OLDEST_MODELS.iter().any(|start| self.model.starts_with(start));
        let usual = if oldest { LIMIT_OF_OLDEST } else { USUAL_LIMIT };
        let messages = prompt::spoken_from_user(request).map(|message| Said {
            role: match message.role {
                Role::User => "user",
                Role::Assistant => "assistant",
            },
            content: Content::of(message),
        });
        serde_json::to_vec(&Body {
            model: &self.model,
            messages: messages.collect(),
            stream: true,
            max_tokens: request.max_tokens.unwrap_or(usual),
            system: prompt::instructions(request),
            temperature: request.temperature,
        })
    }

    fn decoder(&self) -> Box<dyn Decoder> {
        Box::new(Events { input_tokens: 0 })
    }
}

struct Events {
    /// Said in the first event, while the output is said in the last.
    input_tokens: u64,
}

#[derive(Deserialize)]
struct Event {
    #[serde(rename = "type")]
    kind: Kind,
    delta: Option<Delta>,
    message: Option<Message>,
    usage: Option<Totals>,
    error: Option<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    MessageStart,
    ContentBlockDelta,
    MessageDelta,
    MessageStop,
    Error,
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
struct Delta {
    text: Option<String>,
    thinking: Option<String>,
    stop_reason: Option<String>,
}

#[derive(Deserialize)]
struct Message {
    usage: Option<Totals>,
}

#[derive(Deserialize)]
struct Totals {
    input_tokens: Option<u64>,
    cache_creation_input_tokens: Option<u64>,
    cache_read_input_tokens: Option<u64>,
    output_tokens: Option<u64>,
}

impl Totals {
    /// All that was sent, whether it was read from a cache or not.
    fn input(&self) -> Option<u64> {
        let cached = [self.cache_creation_input_tokens, self.cache_read_input_tokens];
        self.input_tokens.map(|fresh| cached.into_iter().flatten().fold(fresh, u64::saturating_add))
    }
}

impl Decoder for Events {
    fn read(&mut self, frame: &[u8], progress: &mut Progress) -> Result<(), Unreadable> {
        let event: Event = serde_json::from_slice(frame)?;
        match event.kind {
            Kind::MessageStart => self.count(event.message.and_then(|message| message.usage), progress),
            Kind::ContentBlockDelta => {
                if let Some(Delta { text, thinking, .. }) = event.delta {
                    thinking.into_iter().for_each(|thought| progress.reasoning(thought));
                    text.into_iter().for_each(|text| progress.token(text));
                }
            }
            Kind::MessageDelta => {
                self.count(event.usage, progress);
                if let Some(reason) = event.delta.and_then(|delta| delta.stop_reason) {
                    progress.finish(finish_reason(&reason));
                }
            }
            Kind::MessageStop => progress.done(),
            Kind::Error => return Err(Unreadable::Complaint(Complaint::of(&event.error.unwrap_or_default()))),
            Kind::Other => {}
        }
        Ok(())
    }
}

impl Events {
    fn count(&mut self, totals: Option<Totals>, progress: &mut Progress) {
        if let Some(totals) = totals {
            self.input_tokens = totals.input().unwrap_or(self.input_tokens);
            progress.usage(self.input_tokens, totals.output_tokens.unwrap_or_default());
        }
    }
}

fn finish_reason(reason: &str) -> FinishReason {
    match reason {
        "end_turn" | "stop_sequence" => FinishReason::Stop,
        "max_tokens" | "model_context_window_exceeded" => FinishReason::Length,
        "refusal" => FinishReason::Filtered,
        "tool_use" => FinishReason::ToolCalls,
        _ => FinishReason::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::{ChatMessage, ModelEvent, Usage};
    use crate::provider::Provider;

    fn target(base: &str) -> ModelTarget {
        ModelTarget {
            base_url: Some(base.parse().unwrap()),
            ..ModelTarget::new(Provider::Anthropic, "claude-3-haiku-1")
        }
    }

    #[test]
    fn the_base_url_may_end_before_or_after_its_version() {
        for base in ["http://a", "http://a/", "http://a/v1", "http://a/v1/", "http://a/v1/messages"] {
            assert_eq!(line_to(&target(base)).unwrap().url.as_str(), "http://a/v1/messages", "{base}");
        }
        assert_eq!(line_to(&target("https://api.anthropic.com")).unwrap_err().field(), Some("api_key"));
    }

    #[test]
    fn a_limit_is_always_sent() {
        let wire = line_to(&target("http://a")).unwrap().wire;
        let mut request = ChatRequest::new(vec![ChatMessage::assistant("old"), ChatMessage::user("hi")]);
        let body = |request: &ChatRequest| serde_json::from_slice::<Value>(&wire.body(request).unwrap()).unwrap();
        assert_eq!(body(&request)["max_tokens"], 4_096);
        assert_eq!(body(&request)["messages"], serde_json::json!([{"role": "user", "content": "hi"}]));
        request.max_tokens = Some(5);
        assert_eq!(body(&request)["max_tokens"], 5);
    }

    #[test]
    fn tokens_from_the_cache_count() {
        let mut progress = Progress::new(9);
        let mut events = Events { input_tokens: 0 };
        for frame in [
            r#"{"type":"message_start","message":{"usage":{"input_tokens":3,"cache_read_input_tokens":4,"output_tokens":1}}}"#,
            r#"{"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"x"}}"#,
            r#"{"type":"content_block_delta","index":0,"delta":{"type":"citations_delta","citation":{}}}"#,
            r#"{"type":"something_new"}"#,
            r#"{"type":"message_delta","delta":{"stop_reason":"refusal"},"usage":{"output_tokens":9}}"#,
        ] {
            events.read(frame.as_bytes(), &mut progress).unwrap();
        }
        progress.conclude();
        let usage = Usage { input_tokens: 7, output_tokens: 9, estimated: false };
        assert_eq!(progress.next(), Some(ModelEvent::Usage(usage)));
        assert_eq!(progress.next(), Some(ModelEvent::End { finish_reason: FinishReason::Filtered }));
    }
}
