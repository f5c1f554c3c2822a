use serde_json::{Value, json};

use super::{Frames, Outline, Template, quoted};
use crate::script::Finish;

pub(super) fn frames(outline: &Outline<'_>) -> Frames {
    let head = format!(r#"{{"model":{},"created_at":"2026-01-01T00:00:00Z","message""#, quoted(outline.model));
    let after = "},\"done\":false}\n";
    let call =
        r#"{"role":"assistant","content":"","tool_calls":[{"function":{"name":"lookup","arguments":{"query":"x"}}}]"#;
    Frames {
        content_type: "application/x-ndjson",
        opening: Vec::new(),
        thought: Template::new(format!(r#"{head}:{{"role":"assistant","content":"","thinking":"#), after),
        turn: Vec::new(),
        word: Template::new(format!(r#"{head}:{{"role":"assistant","content":"#), after),
        tool_call: format!("{head}:{call}{after}").into_bytes(),
        closing: format!("{}\n", whole(outline, "")).into_bytes(),
        failure: format!("{}\n", refusal("Scripted failure")).into_bytes(),
    }
}

pub(super) fn whole(outline: &Outline<'_>, text: &str) -> Value {
    let finish = match outline.finish {
        Finish::Stop | Finish::ToolCall => "stop",
        Finish::Length => "length",
    };
    json!({
        "model": outline.model,
        "created_at": "2026-01-01T00:00:00Z",
        "message": {"role": "assistant", "content": text},
        "done": true,
        "done_reason": finish,
        "total_duration": 1_000_000,
        "prompt_eval_count": outline.input_tokens,
        "eval_count": outline.output_tokens,
    })
}

pub(super) fn refusal(message: &str) -> Value {
    json!({"error": message})
}
