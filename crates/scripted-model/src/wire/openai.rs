use serde_json::{Value, json};

use super::{Frames, Manner, Outline, Template, quoted};
use crate::script::Finish;

pub(super) fn frames(manner: Manner, outline: &Outline<'_>) -> Frames {
    let head = format!(
        r#"data: {{"id":"chatcmpl-scripted","object":"chat.completion.chunk","created":1767225600,"model":{}"#,
        quoted(outline.model)
    );
    let delta = |field: &str| {
        let before = format!(r#"{head},"choices":[{{"index":0,"delta":{{"{field}":"#);
        Template::new(before, "},\"finish_reason\":null}]}\n\n")
    };
    let choice = |delta: &str| {
        format!("{head},\"choices\":[{{\"index\":0,\"delta\":{delta},\"finish_reason\":null}}]}}\n\n").into_bytes()
    };
    let mut opening = Vec::new();
    if manner == Manner::Azure {
        opening
            .extend(format!("{head},\"choices\":[],\"prompt_filter_results\":[{{\"prompt_index\":0}}]}}\n\n").bytes());
    }
    opening.extend(choice(r#"{"role":"assistant","content":""}"#));
    Frames {
        content_type: "text/event-stream",
        opening,
        thought: delta("reasoning_content"),
        turn: Vec::new(),
        word: delta("content"),
        tool_call: choice(
            r#"{"tool_calls":[{"index":0,"id":"call_1","type":"function","function":{"name":"lookup","arguments":"{\"query\":\"x\"}"}}]}"#,
        ),
        closing: closing(manner, outline, &head).into_bytes(),
        failure: b"data: {\"error\":{\"message\":\"Scripted failure\",\"type\":\"server_error\",\"code\":null}}\n\n"
            .to_vec(),
    }
}

fn closing(manner: Manner, outline: &Outline<'_>, head: &str) -> String {
    let finish = reason(outline);
    let usage = usage(outline);
    let last = |extra: &str| {
        format!("{head},\"choices\":[{{\"index\":0,\"delta\":{{}},\"finish_reason\":\"{finish}\"}}]{extra}}}\n\n")
    };
    let body = match manner {
        Manner::Mistral => last(&format!(",\"usage\":{usage}")),
        Manner::OpenAi | Manner::Azure if outline.usage => {
            last(",\"usage\":null") + &format!("{head},\"choices\":[],\"usage\":{usage}}}\n\n")
        }
        Manner::OpenAi | Manner::Azure => last(""),
    };
    body + "data: [DONE]\n\n"
}

pub(super) fn whole(outline: &Outline<'_>, text: &str) -> Value {
    json!({
        "id": "chatcmpl-scripted",
        "object": "chat.completion",
        "created": 1_767_225_600,
        "model": outline.model,
        "choices": [{
            "index": 0,
            "message": {"role": "assistant", "content": text},
            "finish_reason": reason(outline),
        }],
        "usage": usage(outline),
    })
}

pub(super) fn refusal(status: u16, message: &str) -> Value {
    let (kind, code) = match status {
        401 => ("invalid_request_error", Some("invalid_api_key")),
        404 => ("invalid_request_error", Some("model_not_found")),
        429 => ("requests", Some("rate_limit_exceeded")),
        500.. => ("server_error", None),
        _ => ("invalid_request_error", None),
    };
    json!({"error": {"message": message, "type": kind, "param": null, "code": code}})
}

fn usage(outline: &Outline<'_>) -> Value {
    json!({
        "prompt_tokens": outline.input_tokens,
        "completion_tokens": outline.output_tokens,
        "total_tokens": outline.input_tokens + outline.output_tokens,
    })
}

const fn reason(outline: &Outline<'_>) -> &'static str {
    match outline.finish {
        Finish::Stop => "stop",
        Finish::Length => "length",
        Finish::ToolCall => "tool_calls",
    }
}
