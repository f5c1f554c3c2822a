//! Google's Gemini.

use reqwest::header::HeaderMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::Url;

use super::{Decoder, Line, Progress, Unreadable, Wire, base_url, json_headers, key_of, prompt, put_key, required_key};
use crate::chat::{ChatMessage, ChatRequest, FinishReason, Role};
use crate::error::ModelError;
use crate::image::Image;
use crate::remote::Complaint;
use crate::target::{ModelTarget, below, last_segment};

const GOOGLE: &str = "https://generativelanguage.googleapis.com/v1beta/";

pub(super) fn line_to(target: &ModelTarget) -> Result<Line, ModelError> {
    let (base, headers) = base_and_headers(target, "text/event-stream")?;
    Ok(Line { url: chat_url(&base, &target.model), headers, wire: Box::new(Gemini) })
}

/// The versioned base URL of a target, and the headers of its requests.
pub(super) fn base_and_headers(target: &ModelTarget, accept: &'static str) -> Result<(Url, HeaderMap), ModelError> {
    let base = base_url(target, GOOGLE)?;
    if base.host_str() == Some("generativelanguage.googleapis.com") {
        required_key(target)?;
    }
    let mut headers = json_headers(accept);
    if let Some(key) = key_of(target) {
        put_key(&mut headers, "x-goog-api-key", key)?;
    }
    let versioned = last_segment(&base).is_some_and(|segment| segment.starts_with("v1"));
    Ok((if versioned { base } else { below(&base, &["v1beta"]) }, headers))
}

/// The collection that a model is in, and its name there. Google's own lists name models with both.
pub(super) fn collection_and_name(model: &str) -> (&str, &str) {
    let model = model.trim();
    match model.split_once('/') {
        Some((collection @ ("models" | "tunedModels"), name)) => (collection, name),
        _ => ("models", model),
    }
}

/// The model is in the path.
fn chat_url(base: &Url, model: &str) -> Url {
    let (collection, name) = collection_and_name(model);
    let mut url = below(base, &[collection, &format!("{name}:streamGenerateContent")]);
    url.set_query(Some("alt=sse"));
    url
}

#[derive(Debug)]
struct Gemini;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    contents: Vec<Said<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    system_instruction: Option<Said<'a>>,
    generation_config: GenerationConfig,
}

#[derive(Serialize)]
struct Said<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'static str>,
    parts: Vec<SaidPart<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
enum SaidPart<'a> {
    Text(&'a str),
    InlineData(InlineData),
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct InlineData {
    mime_type: &'static str,
    data: String,
}

/// Images come first, as Google advises.
fn parts_of(message: &ChatMessage) -> Vec<SaidPart<'_>> {
    let inline = |image: &Image| InlineData { mime_type: image.media_type(), data: image.base64() };
    let images = message.images.iter().map(|image| SaidPart::InlineData(inline(image)));
    images.chain(prompt::text_beside_images(message).map(SaidPart::Text)).collect()
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct GenerationConfig {
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_output_tokens: Option<u32>,
}

impl Wire for Gemini {
    fn body(&self, request: &ChatRequest) -> serde_json::Result<Vec<u8>> {
        let instructions = prompt::instructions(request);
        let contents = prompt::spoken_from_user(request).map(|message| Said {
            role: Some(match message.role {
                Role::User => "user",
                Role::Assistant => "model",
            }),
            parts: parts_of(message),
        });
        serde_json::to_vec(&Body {
            contents: contents.collect(),
            system_instruction: instructions
                .as_deref()
                .map(|text| Said { role: None, parts: vec![SaidPart::Text(text)] }),
            generation_config: GenerationConfig {
                temperature: request.temperature,
                max_output_tokens: request.max_tokens,
            },
        })
    }

    fn decoder(&self) -> Box<dyn Decoder> {
        Box::new(Responses)
    }
}

struct Responses;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Response {
    candidates: Option<Vec<Candidate>>,
    prompt_feedback: Option<Feedback>,
    usage_metadata: Option<Totals>,
    error: Option<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Candidate {
    content: Option<Parts>,
    finish_reason: Option<String>,
}

#[derive(Deserialize)]
struct Parts {
    parts: Option<Vec<Part>>,
}

#[derive(Deserialize)]
struct Part {
    text: Option<String>,
    thought: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Feedback {
    block_reason: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Totals {
    prompt_token_count: Option<u64>,
    candidates_token_count: Option<u64>,
    thoughts_token_count: Option<u64>,
}

impl Decoder for Responses {
    fn read(&mut self, frame: &[u8], progress: &mut Progress) -> Result<(), Unreadable> {
        let response: Response = serde_json::from_slice(frame)?;
        if let Some(error) = response.error {
            return Err(Unreadable::Complaint(Complaint::of(&error)));
        }
        if let Some(totals) = response.usage_metadata {
            let output = [totals.candidates_token_count, totals.thoughts_token_count].into_iter().flatten();
            progress.usage(totals.prompt_token_count.unwrap_or_default(), output.fold(0, u64::saturating_add));
        }
        if response.prompt_feedback.is_some_and(|feedback| feedback.block_reason.is_some()) {
            progress.finish(FinishReason::Filtered);
        }
        let Some(candidate) = response.candidates.into_iter().flatten().next() else { return Ok(()) };
        for part in candidate.content.and_then(|content| content.parts).into_iter().flatten() {
            match part {
                Part { text: Some(text), thought: Some(true) } => progress.reasoning(text),
                Part { text: Some(text), .. } => progress.token(text),
                Part { text: None, .. } => {}
            }
        }
        // There is no other mark of the end than this reason, and the end of the body after it.
        if let Some(reason) = candidate.finish_reason {
            progress.finish(finish_reason(&reason));
        }
        Ok(())
    }
}

fn finish_reason(reason: &str) -> FinishReason {
    match reason {
        "STOP" => FinishReason::Stop,
        "MAX_TOKENS" => FinishReason::Length,
        "SAFETY" | "RECITATION" | "BLOCKLIST" | "PROHIBITED_CONTENT" | "SPII" | "IMAGE_SAFETY" => {
            FinishReason::Filtered
        }
        _ => FinishReason::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::ModelEvent;
    use crate::provider::Provider;

    #[test]
    fn the_model_is_in_the_path() {
        let base = |text: &str| text.parse::<Url>().unwrap();
        let url = |model| chat_url(&base("http://a/v1beta/"), model).to_string();
        let flash = "http://a/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse";
        assert_eq!(url("gemini-2.5-flash"), flash);
        assert_eq!(url("models/gemini-2.5-flash"), flash);
        assert!(url("tunedModels/mine").starts_with("http://a/v1beta/tunedModels/mine:"));
        assert!(url("../x?y").starts_with("http://a/v1beta/models/..%2Fx%3Fy:"));
        let target = ModelTarget { base_url: Some(base("http://a")), ..ModelTarget::new(Provider::Google, "m") };
        assert!(line_to(&target).unwrap().url.path().starts_with("/v1beta/models/"));
        assert_eq!(line_to(&ModelTarget::new(Provider::Google, "m")).unwrap_err().field(), Some("api_key"));
    }

    #[test]
    fn a_conversation_begins_with_the_person() {
        let mut request = ChatRequest::new(vec![ChatMessage::assistant("old"), ChatMessage::user("hi")]);
        request.system = Some("Be kind.".into());
        request.max_tokens = Some(7);
        let body: Value = serde_json::from_slice(&Gemini.body(&request).unwrap()).unwrap();
        assert_eq!(
            body,
            serde_json::json!({
                "contents": [{"role": "user", "parts": [{"text": "hi"}]}],
                "systemInstruction": {"parts": [{"text": "Be kind."}]},
                "generationConfig": {"maxOutputTokens": 7},
            })
        );
    }

    #[test]
    fn thoughts_are_not_the_answer_and_a_blocked_prompt_has_none() {
        let mut progress = Progress::new(9);
        let thinks =
            br#"{"candidates":[{"content":{"parts":[{"text":"r","thought":true},{"text":"a"},{"functionCall":{}}]}}]}"#;
        Responses.read(thinks, &mut progress).unwrap();
        assert_eq!(progress.next(), Some(ModelEvent::Reasoning("r".into())));
        assert_eq!(progress.next(), Some(ModelEvent::Token("a".into())));
        assert!(!progress.is_finished());
        Responses.read(br#"{"promptFeedback":{"blockReason":"SAFETY"}}"#, &mut progress).unwrap();
        progress.conclude();
        assert_eq!(progress.next(), Some(ModelEvent::End { finish_reason: FinishReason::Filtered }));
    }
}
