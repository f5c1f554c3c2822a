use serde_json::{Value, json};

use super::{Frames, Outline, Template};
use crate::script::Finish;

pub(super) fn frames(outline: &Outline<'_>) -> Frames {
    // Reasoning is a content block of its own before the answer's.
    let answer = u8::from(outline.thinks);
    let text_block = block_start(answer, &json!({"type": "text", "text": ""}));
    let mut opening = event(
        "message_start",
        &json!({"type": "message_start", "message": {
            "id": "msg_scripted", "type": "message", "role": "assistant", "model": outline.model, "content": [],
            "stop_reason": null, "stop_sequence": null,
            "usage": {"input_tokens": outline.input_tokens, "output_tokens": 1},
        }}),
    );
    opening.extend(event("ping", &json!({"type": "ping"})));
    let turn = if outline.thinks {
        opening.extend(block_start(0, &json!({"type": "thinking", "thinking": "", "signature": ""})));
        let signature = json!({"type": "content_block_delta", "index": 0,
            "delta": {"type": "signature_delta", "signature": "c2NyaXB0ZWQ="}});
        [event("content_block_delta", &signature), block_stop(0), text_block].concat()
    } else {
        opening.extend(text_block);
        Vec::new()
    };
    Frames {
        content_type: "text/event-stream",
        opening,
        thought: delta(0, "thinking_delta", "thinking"),
        turn,
        word: delta(answer, "text_delta", "text"),
        tool_call: tool_call(answer),
        closing: closing(answer, outline),
        failure: event(
            "error",
            &json!({"type": "error", "error": {"type": "overloaded_error", "message": "Scripted failure"}}),
        ),
    }
}

fn delta(index: u8, kind: &str, field: &str) -> Template {
    let before = format!(
        "event: content_block_delta\ndata: {{\"type\":\"content_block_delta\",\"index\":{index},\
         \"delta\":{{\"type\":\"{kind}\",\"{field}\":"
    );
    Template::new(before, "}}\n\n")
}

fn tool_call(answer: u8) -> Vec<u8> {
    let index = answer + 1;
    let tool = json!({"type": "tool_use", "id": "toolu_1", "name": "lookup", "input": {}});
    let input = json!({"type": "content_block_delta", "index": index,
        "delta": {"type": "input_json_delta", "partial_json": "{\"query\":\"x\"}"}});
    [block_stop(answer), block_start(index, &tool), event("content_block_delta", &input)].concat()
}

fn closing(answer: u8, outline: &Outline<'_>) -> Vec<u8> {
    let last = json!({"type": "message_delta",
        "delta": {"stop_reason": reason(outline), "stop_sequence": null},
        "usage": {"output_tokens": outline.output_tokens}});
    [block_stop(answer), event("message_delta", &last), event("message_stop", &json!({"type": "message_stop"}))]
        .concat()
}

fn block_start(index: u8, block: &Value) -> Vec<u8> {
    event("content_block_start", &json!({"type": "content_block_start", "index": index, "content_block": block}))
}

fn block_stop(index: u8) -> Vec<u8> {
    event("content_block_stop", &json!({"type": "content_block_stop", "index": index}))
}

fn event(name: &str, data: &Value) -> Vec<u8> {
    format!("event: {name}\ndata: {data}\n\n").into_bytes()
}

pub(super) fn whole(outline: &Outline<'_>, text: &str) -> Value {
    json!({
        "id": "msg_scripted",
        "type": "message",
        "role": "assistant",
        "model": outline.model,
        "content": [{"type": "text", "text": text}],
        "stop_reason": reason(outline),
        "stop_sequence": null,
        "usage": {"input_tokens": outline.input_tokens, "output_tokens": outline.output_tokens},
    })
}

pub(super) fn refusal(status: u16, message: &str) -> Value {
    let kind = match status {
        401 => "authentication_error",
        403 => "permission_error",
        404 => "not_found_error",
        429 => "rate_limit_error",
        529 => "overloaded_error",
        500.. => "api_error",
        _ => "invalid_request_error",
    };
    json!({"type": "error", "error": {"type": kind, "message": message}})
}

const fn reason(outline: &Outline<'_>) -> &'static str {
    match outline.finish {
        Finish::Stop => "end_turn",
        Finish::Length => "max_tokens",
        Finish::ToolCall => "tool_use",
    }
}
