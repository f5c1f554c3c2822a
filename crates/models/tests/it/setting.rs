use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use omni_egress::{Allow, Egress, EgressPolicy};
use omni_models::{
    ChatMessage, ChatModel, ChatRequest, ChatStream, Deadlines, FinishReason, ModelError, ModelEvent, ModelTarget,
    Models, Provider, Usage, parse_base_url,
};
use omni_scripted_model::ScriptedModel;

pub(crate) const KEY: &str = "sk-test-0123456789";
pub(crate) const SOON: Duration = Duration::from_secs(10);

/// The providers that are talked to over HTTP.
pub(crate) const REMOTE: [Provider; 6] =
    [Provider::OpenAi, Provider::Azure, Provider::Anthropic, Provider::Mistral, Provider::Google, Provider::Ollama];

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
        let models = Models::new(egress(&server.addr().to_string()), deadlines);
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

    pub(crate) async fn ask(&self, provider: Provider, model: &str) -> Answered {
        answer(self.model(provider, model).stream(question()).await).await
    }
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
