use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use futures::{FutureExt, StreamExt, poll};
use omni_models::{Deadlines, ModelError, ModelEvent, Models, Provider, WaitedFor};
use tokio::time::Instant;

use crate::setting::{REMOTE, SOON, Setting, answer, egress, question};

const SHORT: Duration = Duration::from_millis(150);

fn waited_for(error: Option<ModelError>) -> WaitedFor {
    match error {
        Some(ModelError::TimedOut { waited_for, .. }) => waited_for,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_never_a_success() {
    let setting = Setting::new().await;
    for provider in REMOTE {
        for model in ["cut-after-3", "end-after-3"] {
            let answered = setting.ask(provider, model).await;
            assert_eq!(
                (answered.text.as_str(), answered.code()),
                ("t0 t1 t2 ", "answer_cut_off"),
                "{provider} {model}"
            );
        }
    }
}

#[tokio::test]
async fn what_cannot_be_read_is_told() {
    let setting = Setting::new().await;
    for provider in REMOTE {
        assert_eq!(setting.ask(provider, "garbage").await.code(), "answer_malformed", "{provider}");
    }
}

#[tokio::test]
async fn frames_may_come_in_pieces() {
    let setting = Setting::new().await;
    for provider in REMOTE {
        let answered = setting.ask(provider, "drip-1ms").await;
        assert_eq!(answered.text, "één twee drie vier vijf", "{provider}: {answered:?}");
    }
}

#[tokio::test]
async fn a_provider_that_never_answers_is_given_up() {
    let setting = Setting::with(Deadlines { first_byte: SHORT, idle: SOON, total: SOON }).await;
    for provider in REMOTE {
        let answered = setting.ask(provider, "hang-before-headers").await;
        assert_eq!(waited_for(answered.error), WaitedFor::FirstByte, "{provider}");
    }
    setting.server.until(SOON, |tally| tally.cancelled == 6).await.unwrap();
}

#[tokio::test]
async fn a_provider_that_falls_silent_is_given_up() {
    let setting = Setting::with(Deadlines { first_byte: SOON, idle: SHORT, total: SOON }).await;
    for provider in REMOTE {
        for (model, text) in [("hang-after-3", "t0 t1 t2 "), ("slow-first-60000ms", "")] {
            let answered = setting.ask(provider, model).await;
            assert_eq!(answered.text, text, "{provider}");
            assert_eq!(waited_for(answered.error), WaitedFor::NextByte, "{provider}");
        }
    }
    setting.server.until(SOON, |tally| tally.cancelled == 12).await.unwrap();
}

#[tokio::test]
async fn steady_drops_end_no_silence_but_the_whole_has_an_end() {
    let setting = Setting::with(Deadlines { first_byte: SOON, idle: SHORT * 4, total: SHORT }).await;
    let asked = Instant::now();
    let answered = setting.ask(Provider::OpenAi, "tokens-1000-20ms").await;
    assert!(answered.tokens > 0 && asked.elapsed() >= SHORT, "{answered:?}");
    assert_eq!(waited_for(answered.error), WaitedFor::End);
}

#[tokio::test]
async fn a_reader_that_takes_its_time_is_no_silence() {
    let setting = Setting::with(Deadlines { first_byte: SOON, idle: SHORT, total: SOON }).await;
    let mut stream = setting.model(Provider::OpenAi, "tokens-5-100ms").stream(question()).await.unwrap();
    assert!(matches!(stream.next().await, Some(Ok(ModelEvent::Token(_)))));
    // Longer than the silence that a provider is permitted, but it is not the provider that is silent.
    let away = Instant::now();
    setting.server.until(SOON, |tally| tally.completed == 1).await.unwrap();
    assert!(away.elapsed() > SHORT);
    let answered = answer(Ok(stream)).await;
    assert_eq!((answered.text.as_str(), answered.code()), ("t1 t2 t3 t4 ", "none"));
}

#[tokio::test]
async fn a_dropped_stream_ends_the_call_at_once() {
    let setting = Setting::new().await;
    for (count, provider) in (1..).zip(REMOTE) {
        let mut stream = setting.model(provider, "tokens-9-60000ms").stream(question()).await.unwrap();
        assert!(matches!(stream.next().await, Some(Ok(ModelEvent::Token(_)))), "{provider}");
        drop(stream);
        setting.server.until(Duration::from_secs(1), |tally| tally.cancelled == count).await.unwrap();
    }
}

#[tokio::test]
async fn a_dropped_question_ends_the_call_at_once() {
    let setting = Setting::new().await;
    let mut asking = setting.model(Provider::OpenAi, "hang-before-headers").stream(question());
    tokio::select! {
        answered = &mut asking => panic!("{answered:?}"),
        seen = setting.server.until(SOON, |tally| tally.started == 1) => { seen.unwrap(); }
    }
    drop(asking);
    setting.server.until(Duration::from_secs(1), |tally| tally.cancelled == 1).await.unwrap();
}

#[tokio::test]
async fn floods_are_stopped() {
    let setting = Setting::new().await;
    let models = setting.models.clone().with_longest_answer(300_000);
    for provider in REMOTE {
        let ask =
            async |model| answer(models.chat(setting.target(provider, model)).unwrap().stream(question()).await).await;
        let answered = ask("huge").await;
        assert_eq!(answered.code(), "answer_too_large", "{provider}");
        assert!(answered.text.len() > 200_000 && answered.text.len() <= 300_000, "{provider}");
        assert_eq!(ask("huge-frame").await.code(), "answer_malformed", "{provider}");
    }
    setting.server.until(SOON, |tally| tally.cancelled == 12).await.unwrap();
}

#[tokio::test]
async fn what_arrived_together_is_ready_together() {
    let setting = Setting::new().await;
    let mut stream = setting.model(Provider::OpenAi, "tokens-20").stream(question()).await.unwrap();
    // The first token wakes the reader; by the time the server is done with its one write, all others are there.
    assert!(stream.next().await.is_some());
    setting.server.until(SOON, |tally| tally.completed == 1).await.unwrap();
    let mut batches = pin!(stream.ready_chunks(1_000));
    let mut sizes = Vec::new();
    while let Some(batch) = batches.next().await {
        sizes.push(batch.len());
    }
    assert_eq!(sizes.iter().sum::<usize>(), 19 + 2, "{sizes:?}");
    assert!(sizes.len() <= 3, "{sizes:?}");
}

#[tokio::test]
async fn connections_are_used_again() {
    let setting = Setting::new().await;
    for provider in REMOTE {
        for _ in 0..3 {
            assert_eq!(setting.ask(provider, "tokens-3-1ms").await.code(), "none");
        }
    }
    assert_eq!(setting.server.tally().connections, 1);
}

#[tokio::test]
async fn an_address_that_is_not_allowed_is_refused() {
    let setting = Setting::new().await;
    let models = Models::new(egress(""), Deadlines::default());
    let target = setting.target(Provider::OpenAi, "tokens-1");
    assert_eq!(models.check(&target).unwrap_err().code(), "address_refused");
    let error = models.chat(target).unwrap().stream(question()).await.unwrap_err();
    assert_eq!(error.code(), "address_refused");
    assert!(error.to_string().contains("OMNI_EGRESS_ALLOW"), "{error}");
    assert_eq!(setting.server.requests().len(), 0);
}

#[tokio::test]
async fn nobody_at_home_is_told_with_the_host() {
    let setting = Setting::new().await;
    let target = setting.target(Provider::OpenAi, "tokens-1");
    drop(setting.server);
    let error = setting.models.chat(target).unwrap().stream(question()).await.unwrap_err();
    assert_eq!(error.code(), "provider_unreachable");
    assert!(error.to_string().contains("127.0.0.1"), "{error}");
}

#[tokio::test]
async fn asking_is_lazy() {
    let setting = Setting::new().await;
    let asking = setting.model(Provider::OpenAi, "tokens-1").stream(question());
    assert_eq!(setting.server.tally().started, 0);
    let mut asking = pin!(asking.fuse());
    assert!(matches!(poll!(&mut asking), Poll::Pending));
    assert!(asking.await.is_ok());
}
