use omni_domain::ErrorKind;
use omni_models::{ChatMessage, ChatRequest, Deadlines, ModelTarget, Models, Provider, parse_base_url};

use crate::setting::{REMOTE, Setting, egress};

#[test]
fn what_is_missing_is_named_before_anybody_is_asked() {
    let models = Models::new(egress(""), Deadlines::default());
    for provider in REMOTE {
        let error = models.check(&ModelTarget::new(provider, " ")).unwrap_err();
        assert_eq!((error.kind(), error.field()), (ErrorKind::Invalid, Some("model")), "{provider}");
    }
    for (provider, field) in [
        (Provider::OpenAi, "api_key"),
        (Provider::Azure, "base_url"),
        (Provider::Anthropic, "api_key"),
        (Provider::Mistral, "api_key"),
        (Provider::Google, "api_key"),
    ] {
        let target = ModelTarget::new(provider, "m");
        assert_eq!(models.check(&target).unwrap_err().field(), Some(field), "{provider}");
        let error = models.chat(target).unwrap_err();
        assert_eq!(error.field(), Some(field), "{provider}");
        assert!(error.to_string().starts_with(&format!("the provider {provider} needs")), "{error}");
    }
    // A local server wants neither key nor address, only the operator's word.
    models.check(&ModelTarget::new(Provider::Ollama, "m")).unwrap();
    let at = |url: &str| ModelTarget { base_url: url.parse().ok(), ..ModelTarget::new(Provider::Ollama, "m") };
    assert_eq!(models.check(&at("http://127.0.0.1:11434")).unwrap_err().code(), "address_refused");
    let allowed = Models::new(egress("127.0.0.1:11434"), Deadlines::default());
    allowed.check(&at("http://127.0.0.1:11434")).unwrap();
}

#[test]
fn a_key_that_no_header_carries_is_told_and_not_shown() {
    let models = Models::new(egress(""), Deadlines::default());
    let target = ModelTarget { api_key: Some("sk-one\nsk-two".into()), ..ModelTarget::new(Provider::OpenAi, "m") };
    let error = models.chat(target).unwrap_err();
    assert_eq!(error.field(), Some("api_key"));
    assert!(!format!("{error} {error:?}").contains("sk-"), "{error}");
    let pasted = ModelTarget { api_key: Some(" sk-one\n".into()), ..ModelTarget::new(Provider::OpenAi, "m") };
    assert!(models.chat(pasted).is_ok());
}

#[test]
fn a_base_url_that_was_not_made_by_us_is_checked_too() {
    let models = Models::new(egress(""), Deadlines::default());
    for url in ["https://me:pass@example.com/", "https://example.com/?key=1", "ftp://example.com"] {
        let target = ModelTarget { base_url: Some(url.parse().unwrap()), ..ModelTarget::new(Provider::Ollama, "m") };
        assert_eq!(models.check(&target).unwrap_err().field(), Some("base_url"), "{url}");
    }
    assert!(parse_base_url("https://example.com/v1").is_ok());
}

#[tokio::test]
async fn a_question_without_words_is_not_asked() {
    let setting = Setting::new().await;
    for messages in [vec![], vec![ChatMessage::user(" \n")]] {
        let request = ChatRequest::new(messages);
        let error = setting.model(Provider::OpenAi, "echo").stream(request).await.unwrap_err();
        assert_eq!(error.code(), "nothing_asked");
    }
    assert_eq!(setting.server.requests().len(), 0);
}
