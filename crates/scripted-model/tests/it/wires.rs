use omni_scripted_model::{Script, ScriptedModel};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;

use crate::client::{END, OPENAI, chat, read_until, read_whole, request, send};

fn data(body: &str) -> Vec<Value> {
    let lines = body.lines().filter_map(|line| line.strip_prefix("data: "));
    lines.filter_map(|line| serde_json::from_str(line).ok()).collect()
}

fn texts(frames: &[Value], path: &str) -> String {
    frames.iter().filter_map(|frame| frame.pointer(path)?.as_str()).collect()
}

#[tokio::test]
async fn openai_streams_words_usage_and_its_end() {
    let server = ScriptedModel::start().await.unwrap();
    let mut stream = send(&server, OPENAI, "authorization: Bearer sk-1\r\n", &chat("echo")).await;
    let body = read_until(&mut stream, END).await;
    assert!(body.starts_with("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"), "{body}");
    let frames = data(&body);
    assert_eq!(texts(&frames, "/choices/0/delta/content"), "Guten Tag, Welt");
    assert_eq!(texts(&frames, "/choices/0/finish_reason"), "stop");
    let usage = &frames.last().unwrap()["usage"];
    assert_eq!(*usage, json!({"prompt_tokens": 3, "completion_tokens": 3, "total_tokens": 6}));
    assert!(body.contains("data: [DONE]\n\n"));
    let requests = server.requests();
    assert_eq!((requests[0].method.as_str(), requests[0].path.as_str()), ("POST", OPENAI));
    assert_eq!(requests[0].header("authorization"), Some("Bearer sk-1"));
    assert!(!format!("{requests:?}").contains("sk-1"));
}

#[tokio::test]
async fn azure_takes_the_model_from_the_path_and_wants_a_version() {
    let server = ScriptedModel::start().await.unwrap();
    let path = "/openai/deployments/says%3Ahi%20you/chat/completions";
    let body =
        read_until(&mut send(&server, &format!("{path}?api-version=2024-10-21"), "", &chat("")).await, END).await;
    let frames = data(&body);
    assert_eq!(frames[0]["choices"], json!([]));
    assert_eq!(texts(&frames, "/choices/0/delta/content"), "hi you");
    let refused = read_until(&mut send(&server, path, "", &chat("")).await, "not found").await;
    assert!(refused.starts_with("HTTP/1.1 404 "), "{refused}");
}

#[tokio::test]
async fn mistral_gives_usage_unasked() {
    let server = ScriptedModel::start().await.unwrap();
    let body = json!({"model": "tokens-2", "stream": true, "messages": [{"role": "user", "content": "a b"}]});
    let body = read_until(&mut send(&server, "/mistral/v1/chat/completions", "", &body.to_string()).await, END).await;
    let last = data(&body).pop().unwrap();
    assert_eq!(last["choices"][0]["finish_reason"], "stop");
    assert_eq!(last["usage"]["completion_tokens"], 2);
}

#[tokio::test]
async fn anthropic_streams_blocks() {
    let server = ScriptedModel::start().await.unwrap();
    let body = json!({"model": "thinks-2", "stream": true, "system": "Be kind", "max_tokens": 9,
        "messages": [{"role": "user", "content": [{"type": "text", "text": "a b c"}]}]})
    .to_string();
    let stream = &mut send(&server, "/v1/messages", "anthropic-version: 2023-06-01\r\n", &body).await;
    let frames = data(&read_until(stream, END).await);
    assert_eq!(frames[0]["message"]["usage"]["input_tokens"], 5);
    assert_eq!(texts(&frames, "/delta/thinking"), "r0 r1 ");
    assert_eq!(texts(&frames, "/delta/text"), "t0 t1 t2 t3 t4 ");
    assert_eq!(texts(&frames, "/delta/stop_reason"), "end_turn");
    assert_eq!(frames.last().unwrap()["type"], "message_stop");
    let refused = read_until(&mut send(&server, "/v1/messages", "", &body).await, "required").await;
    assert!(refused.starts_with("HTTP/1.1 400 "), "{refused}");
}

#[tokio::test]
async fn gemini_takes_the_model_from_the_path() {
    let server = ScriptedModel::start().await.unwrap();
    let body = json!({"contents": [{"role": "user", "parts": [{"text": "a b"}]}]}).to_string();
    let path = "/v1beta/models/length-2:streamGenerateContent?alt=sse";
    let frames = data(&read_until(&mut send(&server, path, "", &body).await, END).await);
    assert_eq!(texts(&frames, "/candidates/0/content/parts/0/text"), "t0 t1 ");
    let last = frames.last().unwrap();
    assert_eq!(last["candidates"][0]["finishReason"], "MAX_TOKENS");
    assert_eq!(last["usageMetadata"]["promptTokenCount"], 2);
}

#[tokio::test]
async fn ollama_streams_lines() {
    let server = ScriptedModel::start().await.unwrap();
    let body = json!({"model": "tokens-2", "messages": [{"role": "user", "content": "a"}]}).to_string();
    let answer = read_until(&mut send(&server, "/api/chat", "", &body).await, END).await;
    let lines: Vec<Value> = answer.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    assert_eq!(texts(&lines, "/message/content"), "t0 t1 ");
    let last = lines.iter().rfind(|line| line["done"] == true).unwrap();
    assert_eq!(last["eval_count"], 2);
}

#[tokio::test]
async fn whole_answers_and_errors_share_a_connection() {
    let server = ScriptedModel::start().await.unwrap();
    let whole = json!({"model": "says:hello", "messages": [{"role": "user", "content": "a"}]}).to_string();
    let mut stream = send(&server, OPENAI, "", &whole).await;
    let whole = read_whole(&mut stream).await;
    assert!(whole.starts_with("HTTP/1.1 200 ") && whole.contains("hello"), "{whole}");
    stream.write_all(request(OPENAI, "", &chat("error-429")).as_bytes()).await.unwrap();
    let limited = read_whole(&mut stream).await;
    assert!(limited.starts_with("HTTP/1.1 429 ") && limited.contains("retry-after: 7\r\n"), "{limited}");
    stream.write_all(request(OPENAI, "", &chat("gpt-4o")).as_bytes()).await.unwrap();
    assert!(read_whole(&mut stream).await.starts_with("HTTP/1.1 404 "));
}

#[tokio::test]
async fn a_given_script_goes_before_the_name() {
    let server = ScriptedModel::start().await.unwrap();
    server.script("gpt-4o", Script::says("from the script"));
    let body = read_until(&mut send(&server, OPENAI, "", &chat("gpt-4o")).await, END).await;
    assert_eq!(texts(&data(&body), "/choices/0/delta/content"), "from the script");
}
