use omni_domain::ErrorKind;
use omni_models::{Deadlines, EmbeddingTarget, EmbeddingUsage, ModelTarget, Models, Provider, Purpose, parse_base_url};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use crate::setting::{EMBEDDING, KEY, Setting, egress, shape};

#[tokio::test]
async fn every_provider_is_asked_in_its_format() {
    let setting = Setting::new().await;
    for provider in EMBEDDING {
        let mut target = EmbeddingTarget::new(setting.target(provider, "vectors-8"));
        for (dimensions, purpose) in [(None, Purpose::Document), (Some(4), Purpose::Query)] {
            target.dimensions = dimensions;
            let texts = vec!["one two".to_owned(), "three is ünïcode \"quoted\"".to_owned()];
            let embeddings = setting.models.embedding(target.clone()).unwrap().embed(texts, purpose).await.unwrap();
            assert_eq!(embeddings.dimensions, dimensions.map_or(8, |_| 4), "{provider}");
            let request = setting.server.requests().pop().unwrap();
            insta::assert_json_snapshot!(format!("{provider}_{purpose:?}"), shape(&request));
        }
    }
}

#[tokio::test]
async fn every_provider_gives_vectors_in_the_order_of_the_texts() {
    let setting = Setting::new().await;
    let texts: Vec<String> = (0..300).map(|number| format!("text number {number}")).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let together = setting.embed(Provider::OpenAi, "vectors-8", &texts).await.unwrap().vectors;
    assert_eq!(setting.server.requests().len(), 10, "compatible servers take 32 texts");
    for (at, text) in texts.iter().enumerate().step_by(37) {
        assert_eq!(setting.embed(Provider::Ollama, "vectors-8", &[text]).await.unwrap().vectors[0], together[at]);
    }
    for provider in EMBEDDING {
        let embeddings = setting.embed(provider, "vectors-8", &texts).await.unwrap();
        assert!(embeddings.vectors == together, "{provider}");
        // Google does not count; the estimate is four bytes to a token.
        let (input_tokens, estimated) = if provider == Provider::Google { (300 * 4, true) } else { (300 * 3, false) };
        assert_eq!(embeddings.usage, EmbeddingUsage { input_tokens, estimated }, "{provider}");
    }
}

#[tokio::test]
async fn an_order_of_the_providers_own_is_put_right() {
    let setting = Setting::new().await;
    let texts = ["one", "two", "three"];
    let straight = setting.embed(Provider::OpenAi, "vectors-8", &texts).await.unwrap();
    assert_eq!(setting.embed(Provider::OpenAi, "vectors-8-reversed", &texts).await.unwrap(), straight);
}

#[test]
fn batches_keep_the_order() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let setting = runtime.block_on(Setting::new());
    let words = prop::collection::vec((0_u16..500, 1_usize..4_000), 1..120);
    let keeps = |words: Vec<(u16, usize)>| {
        runtime.block_on(keeps_the_order(&setting, &words));
        Ok(())
    };
    TestRunner::new(ProptestConfig { cases: 16, ..ProptestConfig::default() }).run(&words, keeps).unwrap();
}

/// The filling behind each word makes batches end at their tokens as well as at their texts.
async fn keeps_the_order(setting: &Setting, words: &[(u16, usize)]) {
    let texts: Vec<String> = words.iter().map(|(word, filling)| format!("w{word} {}", "x".repeat(*filling))).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let ollama = setting.embed(Provider::Ollama, "vectors-4", &texts).await.unwrap();
    let azure = setting.embed(Provider::Azure, "vectors-4-reversed", &texts).await.unwrap();
    assert_eq!(ollama.vectors, azure.vectors, "however the texts are cut into batches");
    let last = texts.len() - 1;
    for at in [0, last / 2, last] {
        let alone = setting.embed(Provider::OpenAi, "vectors-4", &[texts[at]]).await.unwrap();
        assert_eq!(ollama.vectors[at], alone.vectors[0]);
    }
}

#[tokio::test]
async fn the_key_is_in_its_header_and_nowhere_else() {
    for provider in EMBEDDING {
        let setting = Setting::new().await;
        setting.embed(provider, "vectors-8", &["a"]).await.unwrap();
        let request = setting.server.requests().pop().unwrap();
        let holding = request.headers.iter().filter(|(_, value)| value.contains(KEY)).count();
        assert_eq!(holding, 1, "{provider}");
        assert!(!request.path.contains(KEY) && !String::from_utf8_lossy(&request.body).contains(KEY), "{provider}");
        let target = EmbeddingTarget::new(setting.target(provider, "vectors-8"));
        let model = setting.models.embedding(target.clone()).unwrap();
        assert!(!format!("{model:?} {target:?}").contains(KEY), "{provider}");
    }
}

#[test]
fn an_id_says_whose_vectors_they_are() {
    let models = Models::new(egress(""), Deadlines::default());
    let id = |provider, name: &str, dimensions| {
        let base_url = Some(parse_base_url("https://example.com/v1").unwrap());
        let model = ModelTarget { base_url, api_key: Some("k".into()), ..ModelTarget::new(provider, name) };
        models.embedding(EmbeddingTarget { model, dimensions }).unwrap().id().to_owned()
    };
    assert_eq!(id(Provider::OpenAi, "text-embedding-3-small", None), "openai/text-embedding-3-small");
    assert_eq!(id(Provider::OpenAi, " text-embedding-3-small ", Some(512)), "openai/text-embedding-3-small@512");
    assert_eq!(id(Provider::Azure, "my-deployment", None), "azure/my-deployment");
    assert_eq!(id(Provider::Local, "", None), "local/hash-v1-384");
    assert_eq!(id(Provider::Local, "hash-v1-384", Some(384)), "local/hash-v1-384");
}

#[test]
fn a_target_that_cannot_work_says_what_to_change() {
    let models = Models::new(egress(""), Deadlines::default());
    let target = |provider, name: &str, dimensions| EmbeddingTarget {
        model: ModelTarget { api_key: Some("k".into()), ..ModelTarget::new(provider, name) },
        dimensions,
    };
    for (target, field, advice) in [
        (
            target(Provider::Anthropic, "claude", None),
            "provider",
            "openai, azure, mistral, google, ollama and local have",
        ),
        (target(Provider::OpenAi, " ", None), "model", "needs the name of an embedding model"),
        (target(Provider::Azure, "m", None), "base_url", "endpoint"),
        (target(Provider::OpenAi, "m", Some(0)), "dimensions", "a number from 1 to 16000, or none"),
        (target(Provider::OpenAi, "m", Some(16_001)), "dimensions", "a number from 1 to 16000, or none"),
        (target(Provider::Local, "", Some(512)), "dimensions", "its vectors have 384"),
        (target(Provider::Local, "hash-v2-384", None), "model", "hash-v1-384"),
    ] {
        let error = models.check_embedding(&target).unwrap_err();
        assert_eq!((error.kind(), error.field()), (ErrorKind::Invalid, Some(field)), "{error}");
        assert!(error.to_string().contains(advice), "{error}");
        assert_eq!(models.embedding(target).unwrap_err().field(), Some(field));
    }
    for (provider, field) in
        [(Provider::OpenAi, "api_key"), (Provider::Mistral, "api_key"), (Provider::Google, "api_key")]
    {
        let target = EmbeddingTarget::new(ModelTarget::new(provider, "m"));
        assert_eq!(models.check_embedding(&target).unwrap_err().field(), Some(field), "{provider}");
    }
    models.check_embedding(&target(Provider::OpenAi, "m", Some(16_000))).unwrap();
    models.check_embedding(&target(Provider::Local, "", None)).unwrap();
}

#[tokio::test]
async fn the_built_in_model_needs_nothing() {
    let models = Models::new(egress(""), Deadlines::default());
    let model = models.embedding(EmbeddingTarget::new(ModelTarget::new(Provider::Local, ""))).unwrap();
    let texts = ["The shop opens at nine.", "opening hours of the shop", "Refunds take two weeks."];
    let embeddings = model.embed(texts.map(str::to_owned).to_vec(), Purpose::Query).await.unwrap();
    assert_eq!((embeddings.vectors.len(), embeddings.dimensions), (3, 384));
    assert_eq!(embeddings.usage, EmbeddingUsage { input_tokens: 6 + 7 + 6, estimated: true });
    let nearness = |a: usize, b: usize| -> f32 {
        embeddings.vectors[a].iter().zip(&embeddings.vectors[b]).map(|(a, b)| a * b).sum()
    };
    assert!(nearness(0, 1) > nearness(1, 2) + 0.2);
    assert!(embeddings == model.embed(texts.map(str::to_owned).to_vec(), Purpose::Document).await.unwrap());
}
