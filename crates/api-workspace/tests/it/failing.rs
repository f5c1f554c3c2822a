//! Providers that fail, each in its own way: the stream says how, the history keeps it, and the agent goes on.

use std::time::Duration;

use omni_scripted_model::ScriptedModel;
use omni_testkit::TestApi;
use serde_json::json;

use crate::chat::{Place, said};

/// Each way to fail: the script, the code that the stream ends with, the status of the same turn as one body.
const FAILURES: &[(&str, &str, u16)] = &[
    ("error-400", "provider_bad_request", 502),
    ("error-401", "credentials_refused", 502),
    ("error-402", "out_of_credit", 502),
    ("error-403", "credentials_refused", 502),
    ("error-404", "unknown_model", 502),
    ("error-429", "provider_rate_limited", 429),
    ("error-500", "provider_overloaded", 502),
    ("error-503", "provider_overloaded", 502),
    ("fail-after-3", "provider_overloaded", 502),
    ("cut-after-3", "answer_cut_off", 502),
    ("end-after-3", "answer_cut_off", 502),
    ("garbage", "answer_malformed", 502),
    ("hang-after-3", "provider_timed_out", 504),
    ("hang-before-headers", "provider_timed_out", 504),
    ("huge-frame", "answer_malformed", 502),
];

async fn impatient() -> TestApi {
    TestApi::builder().model_patience(Duration::from_millis(500)).start().await
}

#[tokio::test]
async fn a_service_whose_key_can_no_longer_be_read_says_that_it_has_to_be_entered_again() {
    let place = Place::open("says:yes").await;
    let sql = place.api.database().sql().await;
    // As it is when another key has sealed it: well-formed, and not to be opened.
    let sealed: Vec<u8> = [&[1], [7; 40].as_slice()].concat();
    sql.execute("UPDATE ai_services SET api_key_sealed = $1", &[&sealed]).await.unwrap();
    let refusal = place.owner.ask(place.agent, "Hello").await.refusal(400);
    assert!(refusal.contains("enter it again"), "{refusal}");
    let agent = place.owner.get(&format!("/internal/agents/{}", place.agent)).send().await.expect(200);
    let service = format!("/internal/ai_services/{}", agent["service_id"]);
    place.owner.put(&service).json(&json!({ "api_key": "sk-entered-again" })).send().await.expect(200);
    assert_eq!(place.owner.ask(place.agent, "Hello").await.expect(200)["response"], json!("yes"));
}

#[tokio::test]
async fn the_stream_ends_with_what_went_wrong_and_the_agent_goes_on() {
    let place = Place::over(impatient().await, "tokens-2").await;
    for (number, (script, code, _)) in (1..).zip(FAILURES) {
        let agent = place.owner.create_scripted_agent(place.app, &place.model, script).await;
        let events = place.owner.chat(agent, "Hello").await.rest().await;
        let last = &events.last().unwrap().data;
        assert_eq!((&last["type"], &last["code"]), (&json!("error"), &json!(code)), "{script}: {events:?}");
        let message = last["message"].as_str().unwrap();
        assert!(!message.is_empty() && !message.contains("sk-canary"), "{script}: {message}");

        let history = place.owner.history(&events[0].data["conversation_id"]).await;
        let answer = &history[1];
        assert_eq!((&answer["status"], &answer["error"]), (&json!("failed"), &last["message"]), "{script}");
        assert_eq!(answer["content"], json!(said(&events)), "{script}");
        assert_eq!(place.usage().await["totals"]["failed"], json!(number), "{script}");

        let change = json!({ "model": "says:well again" });
        let service = place.owner.get(&format!("/internal/agents/{agent}")).send().await.expect(200);
        let service = format!("/internal/ai_services/{}", service["service_id"]);
        place.owner.put(&service).json(&change).send().await.expect(200);
        let answer = place.owner.ask(agent, "And now?").await.expect(200);
        assert_eq!(answer["response"], json!("well again"), "{script}");
    }
}

#[tokio::test]
async fn the_same_failures_as_errors_of_http() {
    let place = Place::over(impatient().await, "tokens-2").await;
    for (script, code, status) in FAILURES {
        let agent = place.owner.create_scripted_agent(place.app, &place.model, script).await;
        let answer = place.owner.ask(agent, "Hello").await;
        let detail = answer.refusal(*status);
        assert_eq!(answer.json()["code"], json!(code), "{script}");
        assert!(!detail.contains("sk-canary"), "{script}: {detail}");
        if *status == 429 {
            assert_eq!(answer.header("retry-after"), Some("7"));
        }
    }
}

#[tokio::test]
async fn a_provider_that_is_not_there_is_named() {
    let place = Place::open("tokens-2").await;
    let gone = ScriptedModel::start().await.unwrap().base_url();
    let service = json!({
        "name": "Gone", "provider": "openai", "model": "m", "api_key": "sk-canary-000000",
        "base_url": format!("{gone}v1"),
    });
    let path = format!("/internal/ai_services?app_id={}", place.app);
    let service = place.owner.post(&path).json(&service).send().await.expect(201)["service_id"].as_i64();
    let agent = place.owner.create_agent(place.app, "Lonely", service).await;
    let events = place.owner.chat(agent, "Hello").await.rest().await;
    let last = &events.last().unwrap().data;
    assert_eq!((&last["type"], &last["code"]), (&json!("error"), &json!("provider_unreachable")));
}

#[tokio::test]
async fn what_failed_is_not_remembered() {
    let place = Place::open("echo").await;
    let service = place.owner.get(&format!("/internal/agents/{}", place.agent)).send().await.expect(200);
    let service = format!("/internal/ai_services/{}", service["service_id"]);
    place.owner.put(&service).json(&json!({ "model": "fail-after-3" })).send().await.expect(200);
    place.owner.ask(place.agent, "first").await.refusal(502);
    place.owner.put(&service).json(&json!({ "model": "echo" })).send().await.expect(200);
    place.owner.ask(place.agent, "second").await.expect(200);
    let requests = place.model.requests();
    let messages = requests.last().unwrap().json()["messages"].as_array().unwrap().clone();
    let half = messages.iter().filter(|message| message["role"] == "assistant").count();
    assert_eq!(half, 0, "half an answer was given to the model as if it were whole: {messages:?}");
}
