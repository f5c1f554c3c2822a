//! Ollama's own chat.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Decoder, Line, Progress, Unreadable, Wire, base_url, openai, prompt};
use crate::chat::{ChatRequest, FinishReason, Role};
use crate::error::ModelError;
use crate::image::Image;
use crate::remote::{Complaint, Framing};
use crate::target::{ModelTarget, below, last_segment};

pub(super) const OLLAMA: &str = "http://localhost:11434/";

pub(super) fn line_to(target: &ModelTarget) -> Result<Line, ModelError> {
    let base = base_url(target, OLLAMA)?;
    if matches!(last_segment(&base), Some("v1" | "completions")) {
        // The other format that Ollama speaks, and the only one of other servers that people run at home.
        return openai::line_to_compatible(target, &base);
    }
    let headers = openai::bearer_headers(target, "application/x-ndjson")?;
    let wire = Ollama { model: target.model.clone() };
    Ok(Line { url: below(&base, &["api", "chat"]), headers, wire: Box::new(wire) })
}

#[derive(Debug)]
struct Ollama {
    model: String,
}

#[derive(Serialize)]
struct Said<'a> {
    role: &'static str,
    content: &'a str,
    /// Each in base64.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    images: Vec<String>,
}

#[derive(Serialize)]
struct Body<'a> {
    model: &'a str,
    messages: Vec<Said<'a>>,
    stream: bool,
    options: Options,
}

#[derive(Serialize)]
struct Options {
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    num_predict: Option<u32>,
}

impl Wire for Ollama {
    fn framing(&self) -> Framing {
        Framing::Lines
    }

    fn body(&self, request: &ChatRequest) -> serde_json::Result<Vec<u8>> {
        let instructions = prompt::instructions(request);
        let system = instructions.as_deref().map(|content| Said { role: "system", content, images: Vec::new() });
        let messages = prompt::spoken(request).map(|message| Said {
            role: match message.role {
                Role::User => "user",
                Role::Assistant => "assistant",
            },
            content: &message.content,
            images: message.images.iter().map(Image::base64).collect(),
        });
        serde_json::to_vec(&Body {
            model: &self.model,
            messages: system.into_iter().chain(messages).collect(),
            stream: true,
            options: Options { temperature: request.temperature, num_predict: request.max_tokens },
        })
    }

    fn decoder(&self) -> Box<dyn Decoder> {
        Box::new(Lines)
    }
}

struct Lines;

#[derive(Deserialize)]
struct Reply {
    message: Option<Message>,
    done: Option<bool>,
    done_reason: Option<String>,
    prompt_eval_count: Option<u64>,
    eval_count: Option<u64>,
    error: Option<Value>,
}

#[derive(Deserialize)]
struct Message {
    content: Option<String>,
    thinking: Option<String>,
}

impl Decoder for Lines {
    fn read(&mut self, frame: &[u8], progress: &mut Progress) -> Result<(), Unreadable> {
        let reply: Reply = serde_json::from_slice(frame)?;
        if let Some(error) = reply.error {
            return Err(Unreadable::Complaint(Complaint::of(&error)));
        }
        if let Some(Message { content, thinking }) = reply.message {
            thinking.into_iter().for_each(|thought| progress.reasoning(thought));
            content.into_iter().for_each(|text| progress.token(text));
        }
        if reply.done == Some(true) {
            progress.usage(reply.prompt_eval_count.unwrap_or_default(), reply.eval_count.unwrap_or_default());
            progress.finish(finish_reason(reply.done_reason.as_deref()));
            progress.done();
        }
        Ok(())
    }
}

fn finish_reason(reason: Option<&str>) -> FinishReason {
    match reason {
        // Older versions give no reason.
        None | Some("stop") => FinishReason::Stop,
        Some("length") => FinishReason::Length,
        Some(_) => FinishReason::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::Provider;

    fn url(base: &str) -> String {
        let target =
            ModelTarget { base_url: Some(base.parse().unwrap()), ..ModelTarget::new(Provider::Ollama, "llama3") };
        line_to(&target).unwrap().url.into()
    }

    #[test]
    fn the_base_url_says_which_format() {
        for base in ["http://a:11434", "http://a:11434/", "http://a:11434/api", "http://a:11434/api/chat"] {
            assert_eq!(url(base), "http://a:11434/api/chat", "{base}");
        }
        for base in ["http://a/v1", "http://a/v1/", "http://a/v1/chat/completions"] {
            assert_eq!(url(base), "http://a/v1/chat/completions", "{base}");
        }
        let usual = line_to(&ModelTarget::new(Provider::Ollama, "llama3")).unwrap();
        assert_eq!(usual.url.as_str(), "http://localhost:11434/api/chat");
    }
}
