use std::time::Duration;

use omni_domain::ErrorKind;
use omni_models::{Deadlines, ModelError, ModelTarget, Models, Provider, parse_base_url};
use omni_scripted_model::{Refusal, Script};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::setting::{KEY, REMOTE, Setting, answer, egress, question};

/// A refusal, by every provider, with the error it must become. No error ever tells the key.
async fn refused(model: &str, code: &str, kind: ErrorKind) -> Vec<ModelError> {
    let setting = Setting::new().await;
    let mut errors = Vec::new();
    for provider in REMOTE {
        let error = setting.ask(provider, model).await.error.unwrap();
        assert_eq!((error.code(), error.kind()), (code, kind), "{provider} {model}: {error}");
        assert!(!format!("{error} {error:?}").contains(KEY), "{provider}: {error:?}");
        errors.push(error);
    }
    errors
}

#[tokio::test]
async fn a_refused_key_is_the_services_to_change() {
    for model in ["error-401", "error-403"] {
        for error in refused(model, "credentials_refused", ErrorKind::Upstream).await {
            assert!(error.to_string().starts_with("the provider refused the API key of this service"), "{error}");
        }
    }
}

#[tokio::test]
async fn an_unknown_model_is_named() {
    for error in refused("gpt-9000", "unknown_model", ErrorKind::Upstream).await {
        assert!(error.to_string().contains("gpt-9000"), "{error}");
    }
}

#[tokio::test]
async fn a_rate_limit_says_when_to_come_back() {
    for error in refused("error-429", "provider_rate_limited", ErrorKind::RateLimited).await {
        assert_eq!(error.retry_after(), Some(Duration::from_secs(7)));
        assert!(error.to_string().ends_with("try again in 7 seconds"), "{error}");
    }
}

#[tokio::test]
async fn a_bad_request_is_told_in_the_providers_words_without_the_key() {
    for error in refused("error-400", "provider_bad_request", ErrorKind::Upstream).await {
        assert!(error.to_string().ends_with("Scripted refusal for the key ****"), "{error}");
    }
}

#[tokio::test]
async fn a_failing_provider_is_told() {
    for model in ["error-500", "error-503", "error-529"] {
        refused(model, "provider_overloaded", ErrorKind::Upstream).await;
    }
}

#[tokio::test]
async fn an_error_in_the_middle_of_an_answer_is_one() {
    let setting = Setting::new().await;
    for provider in REMOTE {
        let answered = setting.ask(provider, "fail-after-3").await;
        assert_eq!((answered.text.as_str(), answered.code()), ("t0 t1 t2 ", "provider_overloaded"), "{provider}");
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let setting = Setting::new().await;
    let refusal = Refusal { status: 302, retry_after: None, message: "elsewhere".into() };
    setting.server.script("moved", Script { refusal: Some(refusal), ..Script::tokens(0) });
    let error = setting.ask(Provider::OpenAi, "moved").await.error.unwrap();
    assert_eq!(error.code(), "not_a_model");
    assert!(error.to_string().contains("302"), "{error}");
    assert_eq!(setting.server.requests().len(), 1);
}

/// What becomes of one fixed response with status 200.
async fn error_of(content_type: &str, body: &str) -> ModelError {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let target = ModelTarget {
        base_url: Some(parse_base_url(&format!("http://{addr}/v1")).unwrap()),
        ..ModelTarget::new(Provider::OpenAi, "m")
    };
    let models = Models::new(egress(&addr.to_string()), Deadlines::default());
    let serving = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.read_buf(&mut Vec::with_capacity(8_192)).await.unwrap();
        let length = body.len();
        let response =
            format!("HTTP/1.1 200 OK\r\ncontent-type: {content_type}\r\ncontent-length: {length}\r\n\r\n{body}");
        stream.write_all(response.as_bytes()).await.unwrap();
        stream
    };
    let (answered, _stream) = tokio::join!(models.chat(target).unwrap().stream(question()), serving);
    answer(answered).await.error.unwrap()
}

#[tokio::test]
async fn a_success_that_is_no_stream_is_told() {
    let page = error_of("text/html; charset=utf-8", "<html>Welcome</html>").await;
    assert!(page.to_string().contains("web page") && page.to_string().contains("base URL"), "{page}");
    let whole = error_of("application/json", r#"{"choices":[{"message":{"content":"hi"}}]}"#).await;
    assert!(whole.to_string().contains("not a stream"), "{whole}");
    let error = error_of("application/json", r#"{"error":{"message":"no","type":"invalid_request_error"}}"#).await;
    assert_eq!(error.code(), "provider_bad_request");
}

#[tokio::test]
async fn an_answer_without_a_word_or_an_end_is_cut_off() {
    for body in ["", "\n\n", ": comment\n\n", "data: {\"choices\":[", "data: {\"choices\":[]}\n\n"] {
        assert_eq!(error_of("text/event-stream", body).await.code(), "answer_cut_off", "{body}");
    }
}
