use std::time::Duration;

use futures::FutureExt;
use omni_domain::Failure;
use omni_models::{Deadlines, EmbeddingTarget, ModelError, Provider, Purpose, WaitedFor};
use omni_scripted_model::{Flaw, Refusal, Script};
use tokio::time::Instant;

use crate::setting::{EMBEDDING, SOON, Setting};

const SHORT: Duration = Duration::from_millis(150);

fn refusal(status: u16, retry_after: Option<u64>) -> Script {
    Script { refusal: Some(Refusal { status, retry_after, message: "later".into() }), ..Script::vectors(8) }
}

#[tokio::test]
async fn what_passes_is_asked_again() {
    let setting = Setting::new().await;
    let half = Script { flaw: Some(Flaw::Half), ..Script::vectors(8) };
    for provider in EMBEDDING {
        let model = format!("flaky-{provider}");
        let scripts = [refusal(429, Some(0)), refusal(503, None), half.clone(), Script::vectors(8)];
        setting.server.script_in_turn(model.clone(), scripts);
        let embeddings = setting.embed(provider, &model, &["one", "two"]).await.unwrap();
        assert_eq!(embeddings.vectors.len(), 2, "{provider}");
    }
    assert_eq!(setting.server.requests().len(), 4 * EMBEDDING.len());
}

#[tokio::test]
async fn a_provider_is_given_the_time_that_it_asks_for() {
    let setting = Setting::new().await;
    setting.server.script_in_turn("limited", [refusal(429, Some(1)), refusal(503, Some(1)), Script::vectors(8)]);
    let asked = Instant::now();
    setting.embed(Provider::OpenAi, "limited", &["one"]).await.unwrap();
    assert!(asked.elapsed() >= Duration::from_secs(2));
}

#[tokio::test]
async fn patience_ends() {
    let setting = Setting::new().await;
    let error = setting.embed(Provider::OpenAi, "error-503", &["one"]).await.unwrap_err();
    assert_eq!(error.code(), "provider_overloaded");
    assert_eq!(setting.server.requests().len(), 4);
    // Two batches fail at once, and have the retries of the call between them.
    let many = vec!["x"; 320];
    setting.embed(Provider::OpenAi, "error-503", &many).await.unwrap_err();
    assert!(setting.server.requests().len() <= 4 + 2 + 8);
}

#[tokio::test]
async fn who_asks_for_too_long_a_wait_is_not_waited_for() {
    let setting = Setting::new().await;
    setting.server.script("tomorrow", refusal(429, Some(86_400)));
    let error = setting.embed(Provider::OpenAi, "tomorrow", &["one"]).await.unwrap_err();
    assert_eq!(error.retry_after(), Some(Duration::from_secs(86_400)));
    assert_eq!(Failure::retry_after(&error), Some(86_400));
    assert_eq!(setting.server.requests().len(), 1);
}

#[tokio::test]
async fn silence_is_waited_out_and_asked_again() {
    let setting = Setting::with(Deadlines { first_byte: SHORT, idle: SOON, total: SOON }).await;
    let hang = Script { before_headers: None, ..Script::vectors(8) };
    setting.server.script_in_turn("sleepy", [hang, Script::vectors(8)]);
    setting.embed(Provider::OpenAi, "sleepy", &["one"]).await.unwrap();
    assert!(setting.server.requests().len() >= 2);
}

#[tokio::test]
async fn a_call_has_an_end() {
    let setting = Setting::with(Deadlines { first_byte: SOON, idle: SOON, total: SHORT }).await;
    let error = setting.embed(Provider::OpenAi, "hang-before-headers", &["one"]).await.unwrap_err();
    let late = ModelError::TimedOut { waited_for: WaitedFor::End, after: SHORT };
    assert_eq!(format!("{error:?}"), format!("{late:?}"));
    assert_eq!(setting.server.requests().len(), 1);
}

#[tokio::test]
async fn requests_of_one_call_go_two_at_a_time_and_end_with_it() {
    let setting = Setting::new().await;
    let target = EmbeddingTarget::new(setting.target(Provider::OpenAi, "hang-before-headers"));
    let model = setting.models.embedding(target).unwrap();
    let mut embedding = model.embed(vec!["x".into(); 320], Purpose::Document).fuse();
    futures::select! {
        answer = embedding => panic!("{answer:?}"),
        seen = setting.server.until(SOON, |tally| tally.started == 2).fuse() => drop(seen.unwrap()),
    }
    drop(embedding);
    let tally = setting.server.until(Duration::from_secs(1), |tally| tally.cancelled == 2).await.unwrap();
    assert_eq!(tally.started, 2);
}
