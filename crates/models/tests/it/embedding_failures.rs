use omni_domain::ErrorKind;
use omni_models::{Deadlines, EmbeddingTarget, ModelError, ModelTarget, Models, Provider, Purpose};
use omni_scripted_model::{Refusal, Script};

use crate::setting::{EMBEDDING, KEY, SOON, Setting, egress};

/// A failure of every provider. No error ever tells the key.
async fn failures(setting: &Setting, model: &str, code: &str) -> Vec<ModelError> {
    let mut errors = Vec::new();
    for provider in EMBEDDING {
        let error = setting.embed(provider, model, &["one", "two"]).await.unwrap_err();
        assert_eq!(error.code(), code, "{provider} {model}: {error}");
        assert!(!format!("{error} {error:?}").contains(KEY), "{provider}: {error:?}");
        errors.push(error);
    }
    errors
}

#[tokio::test]
async fn what_is_not_one_sound_vector_for_each_text_is_refused() {
    let setting = Setting::new().await;
    for (flaw, what) in [
        ("short", "not one vector for each text"),
        ("mixed", "not equally long"),
        ("nan", "not in this provider's format"),
        ("infinite", "a number that is too large"),
        ("zero", "only zeros"),
        ("page", "a web page"),
        ("nothing", "not in this provider's format"),
    ] {
        for error in failures(&setting, &format!("vectors-8-{flaw}"), "answer_malformed").await {
            assert!(error.to_string().contains(what), "{flaw}: {error}");
        }
    }
    for provider in [Provider::OpenAi, Provider::Azure, Provider::Mistral] {
        let error = setting.embed(provider, "vectors-8-twice", &["one", "two"]).await.unwrap_err();
        assert!(error.to_string().contains("two vectors for one text"), "{error}");
    }
}

#[tokio::test]
async fn an_endless_answer_is_stopped() {
    let setting = Setting::new().await;
    failures(&setting, "vectors-8-flood", "answer_too_large").await;
    setting.server.until(SOON, |tally| tally.cancelled == 5).await.unwrap();
}

#[tokio::test]
async fn other_dimensions_than_asked_for_are_told() {
    let setting = Setting::new().await;
    // A server that does not know the field, as older ones of Ollama: here it is one that has it under another name.
    let mut target = EmbeddingTarget::new(setting.target(Provider::OpenAi, "vectors-8-mixed"));
    target.dimensions = Some(4);
    let model = setting.models.embedding(target).unwrap();
    let error = model.embed(vec!["one".into()], Purpose::Document).await.unwrap_err();
    assert_eq!((error.code(), error.field()), ("dimensions_unusable", Some("dimensions")));
    assert!(error.to_string().contains("its vectors have 5; enter that number, or none"), "{error}");
}

#[tokio::test]
async fn refusals_are_told_apart() {
    let setting = Setting::new().await;
    for (model, code) in [
        ("error-400", "provider_bad_request"),
        ("error-401", "credentials_refused"),
        ("error-402", "out_of_credit"),
        ("text-embedding-9000", "unknown_model"),
    ] {
        failures(&setting, model, code).await;
    }
    assert_eq!(setting.server.requests().len(), 4 * EMBEDDING.len(), "what does not pass is asked once");
    for error in failures(&setting, "error-400", "provider_bad_request").await {
        assert!(error.to_string().ends_with("Scripted refusal for the key ****"), "{error}");
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let setting = Setting::new().await;
    let refusal = Refusal { status: 307, retry_after: None, message: "elsewhere".into() };
    setting.server.script("moved", Script { refusal: Some(refusal), ..Script::vectors(8) });
    failures(&setting, "moved", "not_a_model").await;
}

#[tokio::test]
async fn an_address_that_is_not_allowed_is_refused() {
    let setting = Setting::new().await;
    let models = Models::new(egress(""), Deadlines::default());
    let target = EmbeddingTarget::new(setting.target(Provider::OpenAi, "vectors-8"));
    assert_eq!(models.check_embedding(&target).unwrap_err().code(), "address_refused");
    let error = models.embedding(target).unwrap().embed(vec!["a".into()], Purpose::Query).await.unwrap_err();
    assert_eq!(error.code(), "address_refused");
    let metadata =
        ModelTarget { base_url: "http://169.254.169.254/v1".parse().ok(), ..ModelTarget::new(Provider::OpenAi, "m") };
    let metadata = EmbeddingTarget::new(metadata);
    assert_eq!(setting.models.check_embedding(&metadata).unwrap_err().code(), "address_refused");
    assert_eq!(setting.server.requests().len(), 0);
}

#[tokio::test]
async fn nobody_at_home_is_told_at_once() {
    let setting = Setting::new().await;
    let target = EmbeddingTarget::new(setting.target(Provider::OpenAi, "vectors-8"));
    drop(setting.server);
    let model = setting.models.embedding(target).unwrap();
    let error = model.embed(vec!["a".into()], Purpose::Query).await.unwrap_err();
    assert_eq!(error.code(), "provider_unreachable");
}

#[tokio::test]
async fn what_cannot_be_embedded_is_not_sent() {
    let setting = Setting::new().await;
    for provider in [Provider::OpenAi, Provider::Local] {
        let model = setting.models.embedding(EmbeddingTarget::new(match provider {
            Provider::Local => ModelTarget::new(provider, ""),
            _ => setting.target(provider, "vectors-8"),
        }));
        let model = model.unwrap();
        for (texts, code, kind) in [
            (vec![], "nothing_to_embed", ErrorKind::Invalid),
            (vec!["a".to_owned(), " \n".to_owned()], "nothing_to_embed", ErrorKind::Invalid),
            (vec!["a".to_owned(); 4_097], "too_much_at_once", ErrorKind::TooLarge),
            (vec!["a".repeat(128 * 1024 + 1)], "too_much_at_once", ErrorKind::TooLarge),
        ] {
            let error = model.embed(texts, Purpose::Document).await.unwrap_err();
            assert_eq!((error.code(), error.kind()), (code, kind), "{provider}: {error}");
        }
    }
    assert_eq!(setting.server.requests().len(), 0);
}
