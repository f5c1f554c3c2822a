use serde_json::{Value, json};

use super::{Frames, Outline, Template, quoted};
use crate::script::Finish;

pub(super) fn frames(outline: &Outline<'_>) -> Frames {
    let after = |mark: &str| {
        format!(
            "{mark}}}],\"role\":\"model\"}},\"index\":0}}],\
             \"usageMetadata\":{{\"promptTokenCount\":{input},\"totalTokenCount\":{input}}},\"modelVersion\":{model}}}\r\n\r\n",
            input = outline.input_tokens,
            model = quoted(outline.model),
        )
    };
    let before = "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":";
    let call = json!({"candidates": [{"content": {"role": "model", "parts": [
        {"functionCall": {"name": "lookup", "args": {"query": "x"}}}]}, "index": 0}]});
    Frames {
        content_type: "text/event-stream",
        opening: Vec::new(),
        thought: Template::new(before, after(",\"thought\":true")),
        turn: Vec::new(),
        word: Template::new(before, after("")),
        tool_call: frame(&call),
        closing: frame(&whole(outline, "")),
        failure: frame(&refusal(503, "Scripted failure")),
    }
}

fn frame(data: &Value) -> Vec<u8> {
    format!("data: {data}\r\n\r\n").into_bytes()
}

pub(super) fn whole(outline: &Outline<'_>, text: &str) -> Value {
    let finish = match outline.finish {
        Finish::Stop | Finish::ToolCall => "STOP",
        Finish::Length => "MAX_TOKENS",
    };
    json!({
        "candidates": [{
            "content": {"parts": [{"text": text}], "role": "model"},
            "finishReason": finish,
            "index": 0,
        }],
        "usageMetadata": {
            "promptTokenCount": outline.input_tokens,
            "candidatesTokenCount": outline.output_tokens,
            "totalTokenCount": outline.input_tokens + outline.output_tokens,
        },
        "modelVersion": outline.model,
    })
}

pub(super) fn refusal(status: u16, message: &str) -> Value {
    let name = match status {
        400 => "INVALID_ARGUMENT",
        401 => "UNAUTHENTICATED",
        403 => "PERMISSION_DENIED",
        404 => "NOT_FOUND",
        429 => "RESOURCE_EXHAUSTED",
        503 => "UNAVAILABLE",
        _ => "INTERNAL",
    };
    json!({"error": {"code": status, "message": message, "status": name}})
}
