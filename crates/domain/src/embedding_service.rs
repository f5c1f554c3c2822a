use crate::{AppId, Audited, EmbeddingServiceId, Facts, Timestamp};

/// A provider of embeddings that an app has configured: where to ask, for which model, with which key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmbeddingService {
    /// The service's number.
    pub id: EmbeddingServiceId,
    /// The app that it belongs to.
    pub app: AppId,
    /// What members call it; unique in its app.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// The provider's canonical name, such as `openai` or `local`.
    pub provider: String,
    /// The provider's id of the model, or an Azure deployment.
    pub model: String,
    /// Where the provider is, if not at its usual address.
    pub base_url: Option<String>,
    /// The API version that Azure asks for.
    pub api_version: Option<String>,
    /// The mask of the stored key, if there is one.
    pub key_mask: Option<String>,
    /// How many dimensions are asked for; the model's own number if none.
    pub dimensions: Option<u32>,
    /// When it was made.
    pub created: Timestamp,
    /// When it last changed.
    pub updated: Timestamp,
}

impl Audited for EmbeddingService {
    const KIND: &'static str = "embedding_service";

    fn number(&self) -> i64 {
        self.id.get()
    }

    fn title(&self) -> &str {
        &self.name
    }

    fn facts(&self) -> Facts {
        Facts::new()
            .with("name", &self.name)
            .with("description", &self.description)
            .with("provider", &self.provider)
            .with("model", &self.model)
            .with("base_url", &self.base_url)
            .with("api_version", &self.api_version)
            .with("api_key", &self.key_mask)
            .with("dimensions", self.dimensions)
    }
}
