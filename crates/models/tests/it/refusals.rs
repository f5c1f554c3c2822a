use std::time::Duration;

use omni_domain::ErrorKind;
use omni_models::{ModelError, Provider};
use omni_scripted_model::{Refusal, Script};

use crate::setting::{KEY, REMOTE, Setting};

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

#[tokio::test]
async fn a_server_that_does_not_stream_is_told() {
    let setting = Setting::new().await;
    let ok = |message: &str| Refusal { status: 200, retry_after: None, message: message.into() };
    setting.server.script("odd", Script { refusal: Some(ok("I am an error")), ..Script::tokens(0) });
    // The wire's error body, but with a status of success.
    assert_eq!(setting.ask(Provider::OpenAi, "odd").await.code(), "provider_bad_request");
}
