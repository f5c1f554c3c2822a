use percent_encoding::percent_decode_str;
use serde_json::Value;

use super::inquiry::{self, Inquiry};
use super::{Call, Manner, Wire};
use crate::record::RecordedRequest;

/// What a request wants.
#[derive(Debug)]
pub(crate) enum Route {
    Answer(Call),
    Document(Inquiry),
    Models,
    /// A fault that the provider would refuse, with its status and a message.
    Fault(Wire, u16, &'static str),
}

/// Reads where a request goes. Every path may have a prefix; `/mistral/…` answers in Mistral's manner, `/voyage/…` in
/// Voyage's.
pub(crate) fn route(request: &RecordedRequest) -> Route {
    let (path, query) = request.path.split_once('?').unwrap_or((&request.path, ""));
    let openai = Wire::OpenAi(Manner::OpenAi);
    match request.method.as_str() {
        "GET" if path.ends_with("/models") => Route::Models,
        "POST" if path.contains("/openai/deployments/") => azure(request, path, query),
        "POST" if path.ends_with("/chat/completions") => {
            let manner = if path.starts_with("/mistral/") { Manner::Mistral } else { Manner::OpenAi };
            answer(Wire::OpenAi(manner), request)
        }
        "POST" if path.ends_with("/embeddings") => {
            let manner = if path.starts_with("/mistral/") { Manner::Mistral } else { Manner::OpenAi };
            vectors(Wire::OpenAi(manner), request, None)
        }
        "POST" if path.ends_with("/api/embed") => vectors(Wire::Ollama, request, None),
        "POST" if path.ends_with("/rerank") => document(openai, request, |model, key, body| {
            inquiry::ranking(model, key, body, path.starts_with("/voyage/"))
        }),
        "POST" if path.ends_with("/messages") => match request.header("anthropic-version") {
            Some(_) => answer(Wire::Anthropic, request),
            None => Route::Fault(Wire::Anthropic, 400, "anthropic-version: header is required"),
        },
        "POST" if path.ends_with("/api/chat") => answer(Wire::Ollama, request),
        "POST" if path.contains("/models/") => gemini(request, path, query),
        _ => Route::Fault(openai, 404, "Not found"),
    }
}

fn azure(request: &RecordedRequest, path: &str, query: &str) -> Route {
    let wire = Wire::OpenAi(Manner::Azure);
    let below = path
        .split_once("/openai/deployments/")
        .filter(|_| query.split('&').any(|pair| pair.starts_with("api-version=")))
        .map_or("", |(_, below)| below);
    if let Some(deployment) = below.strip_suffix("/embeddings") {
        return vectors(wire, request, Some(decoded(deployment)));
    }
    let deployment = below.strip_suffix("/chat/completions");
    match (deployment, answer(wire, request)) {
        (Some(deployment), Route::Answer(call)) => Route::Answer(Call { model: decoded(deployment), ..call }),
        (Some(_), fault) => fault,
        (None, _) => Route::Fault(wire, 404, "Resource not found"),
    }
}

fn gemini(request: &RecordedRequest, path: &str, query: &str) -> Route {
    let named = path.rsplit_once("/models/").and_then(|(_, rest)| rest.rsplit_once(':'));
    let (model, streamed) = match named {
        Some((model, "streamGenerateContent")) if query.split('&').any(|pair| pair == "alt=sse") => (model, true),
        Some((model, "generateContent")) => (model, false),
        Some((model, "batchEmbedContents")) => return vectors(Wire::Gemini, request, Some(decoded(model))),
        _ => return Route::Fault(Wire::Gemini, 404, "Method not found"),
    };
    match answer(Wire::Gemini, request) {
        Route::Answer(call) => Route::Answer(Call { model: decoded(model), streamed, ..call }),
        fault => fault,
    }
}

/// A request for vectors, of the model in the path or else of the one in the body.
fn vectors(wire: Wire, request: &RecordedRequest, model: Option<String>) -> Route {
    document(wire, request, |named, key, body| inquiry::vectors(wire, model.unwrap_or(named), key, body))
}

fn document(
    wire: Wire,
    request: &RecordedRequest,
    read: impl FnOnce(String, String, &Value) -> Result<Inquiry, &'static str>,
) -> Route {
    let Ok(body) = serde_json::from_slice::<Value>(&request.body) else {
        return Route::Fault(wire, 400, "The body is not JSON");
    };
    let model = body.get("model").and_then(Value::as_str).unwrap_or_default().to_owned();
    match read(model, key_of(request), &body) {
        Ok(inquiry) => Route::Document(inquiry),
        Err(message) => Route::Fault(wire, 400, message),
    }
}

fn answer(wire: Wire, request: &RecordedRequest) -> Route {
    let Ok(body) = serde_json::from_slice::<Value>(&request.body) else {
        return Route::Fault(wire, 400, "The body is not JSON");
    };
    let at = |path: &str| body.pointer(path).unwrap_or(&Value::Null);
    let messages = if wire == Wire::Gemini { at("/contents") } else { at("/messages") };
    let Some(messages) = messages.as_array().filter(|messages| !messages.is_empty()) else {
        return Route::Fault(wire, 400, "There are no messages");
    };
    let question = messages
        .iter()
        .rfind(|message| message.get("role").is_some_and(|role| role == "user"))
        .map(text_of)
        .unwrap_or_default();
    let system = ["/system", "/systemInstruction", "/system_instruction"].map(|path| text_of(at(path)));
    let texts = messages.iter().map(text_of).chain(system);
    Route::Answer(Call {
        wire,
        model: at("/model").as_str().unwrap_or_default().to_owned(),
        key: key_of(request),
        // Ollama streams unless told otherwise.
        streamed: at("/stream").as_bool().unwrap_or(wire == Wire::Ollama),
        usage: at("/stream_options/include_usage").as_bool().unwrap_or(false),
        question,
        input_tokens: texts.map(|text| text.split_whitespace().count()).sum(),
    })
}

/// The text in a message, a content or a part, whatever a wire calls it.
fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(parts) => parts.iter().map(text_of).collect(),
        Value::Object(fields) => {
            ["text", "content", "parts"].iter().find_map(|name| fields.get(*name)).map(text_of).unwrap_or_default()
        }
        _ => String::new(),
    }
}

fn key_of(request: &RecordedRequest) -> String {
    let bearer = request.header("authorization").map(|value| value.trim_start_matches("Bearer "));
    let named = ["api-key", "x-api-key", "x-goog-api-key"].iter().find_map(|name| request.header(name));
    bearer.or(named).unwrap_or_default().to_owned()
}

fn decoded(segment: &str) -> String {
    percent_decode_str(segment).decode_utf8_lossy().into_owned()
}
