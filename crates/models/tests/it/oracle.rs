//! What another client of the same providers, written by others, makes of the same server: both sides here are of one
//! house, and might share a mistake.

use futures::StreamExt;
use genai::adapter::AdapterKind;
use genai::chat::{ChatMessage, ChatOptions, ChatRequest, ChatStreamEvent};
use genai::embed::EmbedOptions;
use genai::resolver::{AuthData, Endpoint};
use genai::{Client, ModelIden, ServiceTarget};
use omni_models::{EmbeddingTarget, Provider, Purpose};

use crate::setting::{Answered, KEY, Setting, egress};

/// The other client, and the model for it.
fn their_client(setting: &Setting, kind: AdapterKind, path: &str, model: &str) -> (Client, ServiceTarget) {
    let url = format!("{}{path}", setting.server.base_url());
    let http = egress(&setting.server.addr().to_string()).client_for(&url.parse().unwrap()).unwrap();
    let client = Client::builder().with_reqwest(http).build().unwrap();
    let target = ServiceTarget {
        endpoint: Endpoint::from_owned(url),
        auth: AuthData::from_single(KEY),
        model: ModelIden::new(kind, model),
    };
    (client, target)
}

/// The answer as `genai` reads it.
async fn theirs(setting: &Setting, kind: AdapterKind, path: &str, model: &str) -> Answered {
    let (client, target) = their_client(setting, kind, path, model);
    let request = ChatRequest::new(vec![
        ChatMessage::user("one"),
        ChatMessage::assistant("two"),
        ChatMessage::user("three is ünïcode \"quoted\""),
    ])
    .with_system("Be kind.");
    let options = ChatOptions::default().with_capture_usage(true).with_max_tokens(77).with_temperature(0.5);
    let mut stream = client.exec_chat_stream(target, request, Some(&options)).await.unwrap().stream;
    let mut answered = Answered::default();
    while let Some(event) = stream.next().await {
        match event.unwrap() {
            ChatStreamEvent::Chunk(chunk) => {
                answered.tokens += 1;
                answered.text.push_str(&chunk.content);
            }
            ChatStreamEvent::ReasoningChunk(chunk) => answered.reasoning.push_str(&chunk.content),
            ChatStreamEvent::End(end) => {
                let count = |count: Option<i32>| u64::try_from(count.unwrap_or_default()).unwrap();
                answered.usage = end.captured_usage.map(|usage| omni_models::Usage {
                    input_tokens: count(usage.prompt_tokens),
                    output_tokens: count(usage.completion_tokens),
                    estimated: false,
                });
            }
            _ => {}
        }
    }
    answered
}

/// The same question to the same server by both clients: the same answer, and the same request but for what one of them
/// leaves to a default.
async fn agree(provider: Provider, kind: AdapterKind, path: &str) {
    let setting = Setting::new().await;
    for model in ["echo", "tokens-7-1ms", "thinks-3", "drip-1ms", "length-2"] {
        let theirs = theirs(&setting, kind, path, model).await;
        let ours = {
            let mut request = crate::setting::question();
            request.max_tokens = Some(77);
            request.temperature = Some(0.5);
            crate::setting::answer(setting.model(provider, model).stream(request).await).await
        };
        assert_eq!(ours.text, theirs.text, "{provider} {model}");
        assert_eq!(ours.reasoning, theirs.reasoning, "{provider} {model}");
        assert_eq!(ours.usage, theirs.usage, "{provider} {model}");
        let requests = setting.server.requests();
        let [.., their_request, our_request] = requests.as_slice() else { panic!("{requests:?}") };
        assert_eq!(our_request.path, their_request.path, "{provider}");
        let (mut our_body, mut their_body) = (our_request.json(), their_request.json());
        for body in [&mut our_body, &mut their_body] {
            body.as_object_mut().unwrap().remove("stream_options");
        }
        assert_eq!(our_body, their_body, "{provider}");
    }
}

#[tokio::test]
async fn openai() {
    agree(Provider::OpenAi, AdapterKind::OpenAI, "v1/").await;
}

#[tokio::test]
async fn mistral() {
    agree(Provider::Mistral, AdapterKind::Mistral, "mistral/v1/").await;
}

#[tokio::test]
async fn anthropic() {
    agree(Provider::Anthropic, AdapterKind::Anthropic, "v1/").await;
}

#[tokio::test]
async fn gemini() {
    agree(Provider::Google, AdapterKind::Gemini, "v1beta/").await;
}

#[tokio::test]
async fn ollama() {
    agree(Provider::Ollama, AdapterKind::Ollama, "").await;
}

/// The same texts to the same server by both clients: the same vectors, and the same request.
async fn agree_on_vectors(provider: Provider, kind: AdapterKind, path: &str) {
    let setting = Setting::new().await;
    let texts = ["one two", "three is ünïcode \"quoted\"", "two"].map(str::to_owned).to_vec();
    let (client, their_target) = their_client(&setting, kind, path, "vectors-8");
    let options = EmbedOptions::new().with_dimensions(5).with_embedding_type("RETRIEVAL_DOCUMENT");
    let theirs = client.embed_batch(their_target, texts.clone(), Some(&options)).await.unwrap();
    let target = EmbeddingTarget { dimensions: Some(5), ..EmbeddingTarget::new(setting.target(provider, "vectors-8")) };
    let ours = setting.models.embedding(target).unwrap().embed(texts, Purpose::Document).await.unwrap();
    assert!(ours.vectors.iter().eq(theirs.vectors()), "{provider}");
    let requests = setting.server.requests();
    let [their_request, our_request] = requests.as_slice() else { panic!("{requests:?}") };
    assert_eq!(our_request.path, their_request.path, "{provider}");
    assert_eq!(our_request.json(), their_request.json(), "{provider}");
}

#[tokio::test]
async fn vectors() {
    agree_on_vectors(Provider::OpenAi, AdapterKind::OpenAI, "v1/").await;
    agree_on_vectors(Provider::Google, AdapterKind::Gemini, "v1beta/").await;
    agree_on_vectors(Provider::Ollama, AdapterKind::Ollama, "").await;
}
