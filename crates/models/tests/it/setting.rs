use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use omni_domain::Entropy;
use omni_egress::{Allow, Egress, EgressPolicy};
use omni_models::{
    ChatMessage, ChatModel, ChatRequest, ChatStream, Deadlines, EmbeddingTarget, Embeddings, FinishReason, ModelError,
    ModelEvent, ModelTarget, Models, Provider, Purpose, RerankTarget, Usage, parse_base_url,
};
use omni_scripted_model::{RecordedRequest, ScriptedModel};
use serde_json::{Value, json};

pub(crate) const KEY: &str = "sk-test-0123456789";
pub(crate) const SOON: Duration = Duration::from_secs(10);

/// The providers that are talked to over HTTP.
pub(crate) const REMOTE: [Provider; 6] =
    [Provider::OpenAi, Provider::Azure, Provider::Anthropic, Provider::Mistral, Provider::Google, Provider::Ollama];

/// Those of them that have embedding models.
pub(crate) const EMBEDDING: [Provider; 5] =
    [Provider::OpenAi, Provider::Azure, Provider::Mistral, Provider::Google, Provider::Ollama];

/// No chance at all: pauses of jitter take no time.
struct Nothing;

impl Entropy for Nothing {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(0);
    }
}

/// A scripted server, and models that may reach it and nothing else.
pub(crate) struct Setting {
    pub(crate) server: ScriptedModel,
    pub(crate) models: Models,
}

impl Setting {
    pub(crate) async fn new() -> Self {
        Self::with(Deadlines { first_byte: SOON, idle: SOON, total: SOON }).await
    }

    pub(crate) async fn with(deadlines: Deadlines) -> Self {
        let server = ScriptedModel::start().await.unwrap();
        let models = Models::new(egress(&server.addr().to_string()), deadlines).with_entropy(Arc::new(Nothing));
        Self { server, models }
    }

    /// The model of this name, with a key.
    pub(crate) fn target(&self, provider: Provider, model: &str) -> ModelTarget {
        let path = match provider {
            Provider::OpenAi | Provider::Anthropic => "v1",
            Provider::Mistral => "mistral/v1/",
            Provider::Google => "v1beta",
            _ => "",
        };
        let base_url = parse_base_url(&format!("{}{path}", self.server.base_url())).unwrap();
        ModelTarget { base_url: Some(base_url), api_key: Some(KEY.into()), ..ModelTarget::new(provider, model) }
    }

    pub(crate) fn model(&self, provider: Provider, model: &str) -> Arc<dyn ChatModel> {
        self.models.chat(self.target(provider, model)).unwrap()
    }

    /// The vectors that a model of this name has for these texts.
    pub(crate) async fn embed(
        &self,
        provider: Provider,
        model: &str,
        texts: &[&str],
    ) -> Result<Embeddings, ModelError> {
        let model = self.models.embedding(EmbeddingTarget::new(self.target(provider, model))).unwrap();
        model.embed(texts.iter().map(ToString::to_string).collect(), Purpose::Document).await
    }

    /// The reranker of this name, with a key.
    pub(crate) fn rerank_target(&self, model: &str) -> RerankTarget {
        let base_url = parse_base_url(&format!("{}v1", self.server.base_url())).unwrap();
        RerankTarget { model: model.to_owned(), base_url, api_key: Some(KEY.into()) }
    }

    pub(crate) async fn ask(&self, provider: Provider, model: &str) -> Answered {
        answer(self.model(provider, model).stream(question()).await).await
    }
}

/// A request as it is compared with a stored one: with those headers that say something, and without the key.
pub(crate) fn shape(request: &RecordedRequest) -> Value {
    let telling = ["authorization", "api-key", "x-api-key", "x-goog-api-key", "content-type", "accept"];
    let mut headers = serde_json::Map::new();
    for name in telling {
        if let Some(value) = request.header(name) {
            headers.insert(name.to_owned(), value.replace(KEY, "[key]").into());
        }
    }
    json!({"path": request.path, "headers": headers, "body": request.json()})
}

pub(crate) fn egress(allow: &str) -> Egress {
    Egress::new(EgressPolicy { allow: Allow::parse(allow).unwrap(), ..EgressPolicy::default() }).unwrap()
}

pub(crate) fn question() -> ChatRequest {
    let mut request = ChatRequest::new(vec![
        ChatMessage::user("one"),
        ChatMessage::assistant("two"),
        ChatMessage::user("three is ünïcode \"quoted\""),
    ]);
    request.system = Some("Be kind.".into());
    request
}

/// All of an answer.
#[derive(Debug, Default)]
pub(crate) struct Answered {
    pub(crate) text: String,
    pub(crate) tokens: usize,
    pub(crate) reasoning: String,
    pub(crate) usage: Option<Usage>,
    pub(crate) finish: Option<FinishReason>,
    pub(crate) error: Option<ModelError>,
}

impl Answered {
    pub(crate) fn code(&self) -> &'static str {
        self.error.as_ref().map_or("none", ModelError::code)
    }
}

/// Reads an answer to its end, which must come, and come once.
pub(crate) async fn answer(stream: Result<ChatStream, ModelError>) -> Answered {
    let mut answered = Answered::default();
    let mut stream = match stream {
        Ok(stream) => stream,
        Err(error) => return Answered { error: Some(error), ..answered },
    };
    while let Some(event) = stream.next().await {
        assert!(answered.finish.is_none() && answered.error.is_none(), "{event:?} came after the end");
        match event {
            Ok(ModelEvent::Token(token)) => {
                assert!(!token.is_empty());
                answered.tokens += 1;
                answered.text.push_str(&token);
            }
            Ok(ModelEvent::Reasoning(thought)) => answered.reasoning.push_str(&thought),
            Ok(ModelEvent::Usage(usage)) => assert_eq!(answered.usage.replace(usage), None),
            Ok(ModelEvent::End { finish_reason }) => answered.finish = Some(finish_reason),
            Ok(other) => panic!("{other:?}"),
            Err(error) => answered.error = Some(error),
        }
    }
    assert!(answered.finish.is_some() != answered.error.is_some(), "neither or both ends: {answered:?}");
    assert!(stream.next().await.is_none());
    answered
}
