use omni_models::{FinishReason, Passage, Provider, Usage};
use serde_json::{Value, json};

use crate::setting::{KEY, REMOTE, Setting, answer, question};

#[tokio::test]
async fn every_provider_streams_its_answer_with_usage() {
    let setting = Setting::new().await;
    for provider in REMOTE {
        let answered = setting.ask(provider, "tokens-20-1ms").await;
        assert!(answered.text.starts_with("t0 t1 ") && answered.text.ends_with("t19 "), "{provider}: {answered:?}");
        assert_eq!(answered.tokens, 20, "{provider}");
        assert_eq!(answered.finish, Some(FinishReason::Stop), "{provider}");
        let usage = Usage { input_tokens: 8, output_tokens: 20, estimated: false };
        assert_eq!(answered.usage, Some(usage), "{provider}");
    }
}

#[tokio::test]
async fn every_provider_gets_the_question_as_it_was_asked() {
    let setting = Setting::new().await;
    for provider in REMOTE {
        assert_eq!(setting.ask(provider, "echo").await.text, "three is ünïcode \"quoted\"", "{provider}");
    }
}

#[tokio::test]
async fn reasoning_is_not_the_answer() {
    let setting = Setting::new().await;
    for provider in REMOTE {
        let answered = setting.ask(provider, "thinks-3").await;
        assert_eq!(
            (answered.reasoning.as_str(), answered.text.as_str()),
            ("r0 r1 r2 ", "t0 t1 t2 t3 t4 "),
            "{provider}"
        );
    }
}

#[tokio::test]
async fn a_limit_that_was_reached_is_told() {
    let setting = Setting::new().await;
    for provider in REMOTE {
        assert_eq!(setting.ask(provider, "length-3").await.finish, Some(FinishReason::Length), "{provider}");
    }
}

#[tokio::test]
async fn a_wish_for_a_tool_is_told() {
    let setting = Setting::new().await;
    for provider in REMOTE {
        let answered = setting.ask(provider, "tool-call").await;
        let expected = match provider {
            Provider::Google | Provider::Ollama => FinishReason::Stop,
            _ => FinishReason::ToolCalls,
        };
        assert_eq!((answered.text.as_str(), answered.finish), ("", Some(expected)), "{provider}");
    }
}

#[tokio::test]
async fn the_key_is_in_its_header_and_nowhere_else() {
    for provider in REMOTE {
        let setting = Setting::new().await;
        setting.ask(provider, "tokens-1").await;
        let request = setting.server.requests().pop().unwrap();
        let (expected, value) = match provider {
            Provider::Azure => ("api-key", KEY.to_owned()),
            Provider::Anthropic => ("x-api-key", KEY.to_owned()),
            Provider::Google => ("x-goog-api-key", KEY.to_owned()),
            _ => ("authorization", format!("Bearer {KEY}")),
        };
        let holding: Vec<&str> =
            request.headers.iter().filter(|(_, value)| value.contains(KEY)).map(|(name, _)| name.as_str()).collect();
        assert_eq!(holding, [expected], "{provider}");
        assert_eq!(request.header(expected), Some(value.as_str()));
        assert!(!request.path.contains(KEY) && !String::from_utf8_lossy(&request.body).contains(KEY), "{provider}");
        let model = setting.model(provider, "tokens-1");
        assert!(!format!("{model:?} {:?}", setting.target(provider, "x")).contains(KEY), "{provider}");
    }
}

#[tokio::test]
async fn servers_without_keys_get_none() {
    let setting = Setting::new().await;
    for (provider, key) in [(Provider::OpenAi, None), (Provider::OpenAi, Some(" ")), (Provider::Ollama, None)] {
        let mut target = setting.target(provider, "tokens-1");
        target.api_key = key.map(Into::into);
        let answered = answer(setting.models.chat(target).unwrap().stream(question()).await).await;
        assert_eq!(answered.text, "t0 ");
        assert_eq!(setting.server.requests().pop().unwrap().header("authorization"), None);
    }
}

#[tokio::test]
async fn names_of_models_are_sent_as_they_are() {
    let setting = Setting::new().await;
    // A library that guesses would read an effort or a provider out of these.
    for name in ["my-model-high", "openai::gpt-4o", "org/model:7b-low", "models-x"] {
        setting.server.script(name, omni_scripted_model::Script::says("yes"));
        for provider in REMOTE {
            assert_eq!(setting.ask(provider, name).await.text, "yes", "{provider} {name}");
        }
    }
}

async fn body(provider: Provider) -> (String, Value) {
    let setting = Setting::new().await;
    let mut request = question();
    request.temperature = Some(0.7);
    request.max_tokens = Some(77);
    answer(setting.model(provider, "tokens-1").stream(request).await).await;
    let request = setting.server.requests().pop().unwrap();
    (request.path.clone(), request.json())
}

#[tokio::test]
async fn openai_and_its_like_are_asked_in_their_format() {
    let expected = json!({
        "model": "tokens-1",
        "messages": [
            {"role": "system", "content": "Be kind."},
            {"role": "user", "content": "one"},
            {"role": "assistant", "content": "two"},
            {"role": "user", "content": "three is ünïcode \"quoted\""},
        ],
        "stream": true,
        "temperature": 0.7,
        "max_tokens": 77,
    });
    let mut with_usage = expected.clone();
    with_usage["stream_options"] = json!({"include_usage": true});
    assert_eq!(body(Provider::OpenAi).await, ("/v1/chat/completions".into(), with_usage.clone()));
    let path = "/openai/deployments/tokens-1/chat/completions?api-version=2024-10-21";
    assert_eq!(body(Provider::Azure).await, (path.into(), with_usage));
    assert_eq!(body(Provider::Mistral).await, ("/mistral/v1/chat/completions".into(), expected));
}

#[tokio::test]
async fn the_others_are_asked_in_theirs() {
    let (path, body_of_anthropic) = body(Provider::Anthropic).await;
    assert_eq!((path.as_str(), &body_of_anthropic["system"]), ("/v1/messages", &json!("Be kind.")));
    assert_eq!(body_of_anthropic["max_tokens"], 77);
    assert_eq!(body_of_anthropic["messages"][1], json!({"role": "assistant", "content": "two"}));
    let (path, body_of_google) = body(Provider::Google).await;
    assert_eq!(path, "/v1beta/models/tokens-1:streamGenerateContent?alt=sse");
    assert_eq!(body_of_google["contents"][1], json!({"role": "model", "parts": [{"text": "two"}]}));
    let (path, body_of_ollama) = body(Provider::Ollama).await;
    assert_eq!(path, "/api/chat");
    assert_eq!(body_of_ollama["options"], json!({"temperature": 0.7, "num_predict": 77}));
}

#[tokio::test]
async fn passages_reach_every_provider() {
    let setting = Setting::new().await;
    for provider in REMOTE {
        let mut request = question();
        request.passages = vec![Passage::new("The shop opens at nine.", "hours.pdf")];
        answer(setting.model(provider, "tokens-1").stream(request).await).await;
        let body = setting.server.requests().pop().unwrap().json().to_string();
        assert!(body.contains("The shop opens at nine.") && body.contains("hours.pdf"), "{provider}: {body}");
    }
}
