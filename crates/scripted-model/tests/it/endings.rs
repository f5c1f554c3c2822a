use std::time::Duration;

use omni_scripted_model::ScriptedModel;
use tokio::time::Instant;

use crate::client::{END, OPENAI, SOON, chat, read_until, send};

#[tokio::test]
async fn a_client_that_leaves_is_counted_at_once() {
    let server = ScriptedModel::start().await.unwrap();
    for (count, model) in (1..).zip(["hang-after-2", "tokens-9-60000ms", "hang-before-headers", "slow-first-60000ms"]) {
        let mut stream = send(&server, OPENAI, "", &chat(model)).await;
        if model != "hang-before-headers" {
            read_until(&mut stream, "200 OK").await;
        }
        server.until(SOON, |tally| tally.started == count).await.unwrap();
        drop(stream);
        let tally = server.until(Duration::from_secs(1), |tally| tally.cancelled == count).await.unwrap();
        assert_eq!(tally.completed, 0);
    }
    assert!(server.until(Duration::ZERO, |tally| tally.completed == 1).await.is_err());
}

#[tokio::test]
async fn floods_end_when_the_client_leaves() {
    let server = ScriptedModel::start().await.unwrap();
    for (count, model) in (1..).zip(["huge", "huge-frame"]) {
        let mut stream = send(&server, OPENAI, "", &chat(model)).await;
        read_until(&mut stream, &"x".repeat(60_000)).await;
        drop(stream);
        server.until(SOON, |tally| tally.cancelled == count).await.unwrap();
    }
}

#[tokio::test]
async fn every_early_end_is_its_own() {
    let server = ScriptedModel::start().await.unwrap();
    let read = async |model| read_until(&mut send(&server, OPENAI, "", &chat(model)).await, END).await;
    let cut = read("cut-after-3").await;
    assert!(cut.contains("t2") && !cut.contains(END) && !cut.contains("[DONE]"));
    let unmarked = read("end-after-3").await;
    assert!(unmarked.contains("t2") && unmarked.contains(END) && !unmarked.contains("[DONE]"));
    let failed = read("fail-after-3").await;
    assert!(failed.contains("t2") && failed.contains("server_error") && !failed.contains("[DONE]"));
    assert!(read("garbage").await.contains("<html>"));
    assert!(read("tool-call").await.contains("tool_calls"));
    let tally = server.until(SOON, |tally| tally.completed == 5).await.unwrap();
    assert_eq!(tally.cancelled, 0);
}

#[tokio::test]
async fn tokens_keep_their_pace() {
    let server = ScriptedModel::start().await.unwrap();
    let started = Instant::now();
    let body = read_until(&mut send(&server, OPENAI, "", &chat("tokens-20-5ms")).await, END).await;
    assert!(body.contains("t19 "));
    assert!(started.elapsed() >= Duration::from_millis(19 * 5));
}

#[tokio::test]
async fn a_drip_breaks_frames_and_characters() {
    let server = ScriptedModel::start().await.unwrap();
    let body = read_until(&mut send(&server, OPENAI, "", &chat("drip-1ms")).await, END).await;
    assert!(body.contains('\u{fffd}'), "the é is broken by the end of a chunk: {body}");
    assert_eq!(body.matches("twee").count(), 0, "and so is every word: {body}");
    assert!(body.contains("wee"), "{body}");
}
