use omni_domain::{
    AppId, EmbeddingService, EmbeddingServiceDraft, EmbeddingServiceId, EmbeddingServicePatch, Patch, Timestamp,
};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A new embedding service.
#[derive(Debug, Clone, Deserialize, ToSchema)]
pub struct CreateEmbeddingServiceRequest {
    /// What members will call it; unique in the app.
    #[schema(min_length = 1, max_length = 255)]
    pub name: String,
    /// What it is for.
    #[serde(default)]
    pub description: Option<String>,
    /// `openai` (any compatible server), `azure`, `mistral`, `google`, `ollama` or `local`, in any case.
    pub provider: String,
    /// The provider's id of the model, or an Azure deployment; `local` needs none. Also read as `model_name`.
    #[serde(default, alias = "model_name")]
    pub model: Option<String>,
    /// Where the provider is, if not at its usual address. Also read as `endpoint`.
    #[serde(default, alias = "endpoint")]
    pub base_url: Option<String>,
    /// The API version that Azure asks for.
    #[serde(default)]
    pub api_version: Option<String>,
    /// The provider's key. It is sealed, and only its mask is ever read back.
    #[serde(default)]
    #[schema(value_type = Option<String>, write_only)]
    pub api_key: Option<SecretString>,
    /// How many dimensions are asked for, from 1 to 4000; the model's own number if none.
    #[serde(default)]
    pub dimensions: Option<u32>,
}

impl From<CreateEmbeddingServiceRequest> for EmbeddingServiceDraft {
    fn from(request: CreateEmbeddingServiceRequest) -> Self {
        Self {
            name: request.name,
            description: request.description,
            provider: request.provider,
            model: request.model.unwrap_or_default(),
            base_url: request.base_url,
            api_version: request.api_version,
            api_key: request.api_key,
            dimensions: request.dimensions,
        }
    }
}

/// A change of an embedding service; what is left out stays.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
pub struct UpdateEmbeddingServiceRequest {
    /// A new name.
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 255)]
    pub name: Patch<String>,
    /// A new description.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub description: Patch<String>,
    /// Another provider; asks for the key again.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub provider: Patch<String>,
    /// Another model. Also read as `model_name`.
    #[serde(default, alias = "model_name")]
    #[schema(value_type = Option<String>)]
    pub model: Patch<String>,
    /// Another address; asks for the key again. Also read as `endpoint`.
    #[serde(default, alias = "endpoint")]
    #[schema(value_type = Option<String>)]
    pub base_url: Patch<String>,
    /// Another API version.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub api_version: Patch<String>,
    /// Another key; a mask that is sent back keeps the stored one, null or an empty string removes it.
    #[serde(default)]
    #[schema(value_type = Option<String>, write_only)]
    pub api_key: Patch<SecretString>,
    /// Another number of dimensions; null goes back to the model's own.
    #[serde(default)]
    #[schema(value_type = Option<u32>)]
    pub dimensions: Patch<u32>,
}

impl UpdateEmbeddingServiceRequest {
    /// The change, and what is said of the key.
    #[must_use]
    pub fn into_patch(self) -> (EmbeddingServicePatch, Patch<SecretString>) {
        let patch = EmbeddingServicePatch {
            name: self.name,
            description: self.description,
            provider: self.provider,
            model: self.model,
            base_url: self.base_url,
            api_version: self.api_version,
            dimensions: self.dimensions,
        };
        (patch, self.api_key)
    }
}

/// An embedding service.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct EmbeddingServiceResponse {
    /// Its number.
    #[schema(value_type = i64)]
    pub service_id: EmbeddingServiceId,
    /// The app that it belongs to.
    #[schema(value_type = i64)]
    pub app_id: AppId,
    /// What members call it.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// The provider's canonical name.
    pub provider: String,
    /// The provider's id of the model; empty for the one that is built in.
    pub model: String,
    /// Where the provider is, if not at its usual address.
    pub base_url: Option<String>,
    /// The API version that Azure asks for.
    pub api_version: Option<String>,
    /// The mask of the stored key: `****` and its last four characters.
    pub api_key: Option<String>,
    /// How many dimensions are asked for; null is the model's own number.
    pub dimensions: Option<u32>,
    /// When it was made.
    #[serde(with = "time::serde::rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    pub create_date: Timestamp,
    /// When it last changed.
    #[serde(with = "time::serde::rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    pub update_date: Timestamp,
}

impl From<EmbeddingService> for EmbeddingServiceResponse {
    fn from(service: EmbeddingService) -> Self {
        Self {
            service_id: service.id,
            app_id: service.app,
            name: service.name,
            description: service.description,
            provider: service.provider,
            model: service.model,
            base_url: service.base_url,
            api_version: service.api_version,
            api_key: service.key_mask,
            dimensions: service.dimensions,
            create_date: service.created,
            update_date: service.updated,
        }
    }
}
