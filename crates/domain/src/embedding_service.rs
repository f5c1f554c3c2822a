use secrecy::SecretString;

use crate::{AppId, Audited, EmbeddingServiceId, Facts, Invalid, Patch, Text, Timestamp, optional_text, required_text};

/// The most dimensions that a vector in PostgreSQL can have and still be found by an index.
const MOST_DIMENSIONS: u32 = 4_000;

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
    /// The provider's id of the model, or an Azure deployment; empty for the one that is built in.
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

/// A new embedding service, checked as far as rules can; the provider's name and the URL are checked by those who know them.
#[derive(Debug, Clone)]
pub struct EmbeddingServiceDraft {
    /// What members will call it.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// The provider's name.
    pub provider: String,
    /// The provider's id of the model; may be empty for the one that is built in.
    pub model: String,
    /// Where the provider is.
    pub base_url: Option<String>,
    /// The API version that Azure asks for.
    pub api_version: Option<String>,
    /// The provider's key.
    pub api_key: Option<SecretString>,
    /// How many dimensions are asked for.
    pub dimensions: Option<u32>,
}

impl EmbeddingServiceDraft {
    /// Checks the texts and numbers.
    ///
    /// # Errors
    /// An [`Invalid`] that names the first field that breaks a rule.
    pub fn check(self) -> Result<Self, Invalid> {
        Ok(Self {
            name: required_text("name", &self.name, Text::Name)?,
            description: optional_text("description", self.description.as_deref(), Text::Description)?,
            provider: required_text("provider", &self.provider, Text::Token)?,
            model: optional_text("model", Some(&self.model), Text::Token)?.unwrap_or_default(),
            base_url: optional_text("base_url", self.base_url.as_deref(), Text::Url)?,
            api_version: optional_text("api_version", self.api_version.as_deref(), Text::Token)?,
            dimensions: self.dimensions.map(check_dimensions).transpose()?,
            ..self
        })
    }
}

/// A change of an embedding service.
#[derive(Debug, Clone, Default)]
pub struct EmbeddingServicePatch {
    /// A new name.
    pub name: Patch<String>,
    /// A new description.
    pub description: Patch<String>,
    /// Another provider.
    pub provider: Patch<String>,
    /// Another model.
    pub model: Patch<String>,
    /// Another address.
    pub base_url: Patch<String>,
    /// Another API version.
    pub api_version: Patch<String>,
    /// Another number of dimensions.
    pub dimensions: Patch<u32>,
}

impl EmbeddingServicePatch {
    /// The service as it will be; what happens to the key is decided beside it by
    /// [`EmbeddingService::asks_for_key_again`].
    ///
    /// # Errors
    /// An [`Invalid`] that names the first field that breaks a rule.
    pub fn apply(self, stored: EmbeddingService) -> Result<EmbeddingService, Invalid> {
        Ok(EmbeddingService {
            name: self.name.over_required("name", stored.name, Text::Name)?,
            description: self.description.over_optional("description", stored.description, Text::Description)?,
            provider: self.provider.over_required("provider", stored.provider, Text::Token)?,
            model: self.model.over_optional("model", Some(stored.model), Text::Token)?.unwrap_or_default(),
            base_url: self.base_url.over_optional("base_url", stored.base_url, Text::Url)?,
            api_version: self.api_version.over_optional("api_version", stored.api_version, Text::Token)?,
            dimensions: self.dimensions.over(stored.dimensions).map(check_dimensions).transpose()?,
            ..stored
        })
    }
}

impl EmbeddingService {
    /// Whether a stored key must be entered again to get from this service to `next`: a key is trusted to one provider at
    /// one address.
    #[must_use]
    pub fn asks_for_key_again(&self, next: &Self) -> bool {
        self.key_mask.is_some() && (self.provider != next.provider || self.base_url != next.base_url)
    }
}

fn check_dimensions(dimensions: u32) -> Result<u32, Invalid> {
    if (1..=MOST_DIMENSIONS).contains(&dimensions) {
        Ok(dimensions)
    } else {
        Err(Invalid::new("dimensions", format!("must be from 1 to {MOST_DIMENSIONS}")))
    }
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
