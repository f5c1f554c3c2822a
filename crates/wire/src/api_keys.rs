use omni_domain::{ApiKey, ApiKeyDraft, ApiKeyId, AppId, Invalid, Timestamp, UserId};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A new API key.
#[derive(Debug, Clone, Deserialize, ToSchema)]
pub struct CreateApiKeyRequest {
    /// What people will call it.
    #[schema(min_length = 1, max_length = 255)]
    pub name: String,
    /// How many requests a minute it takes; 0 or nothing is without limit.
    #[serde(default)]
    pub rate_limit: Option<u32>,
}

impl CreateApiKeyRequest {
    /// Checks it.
    ///
    /// # Errors
    /// An [`Invalid`] that names the field.
    pub fn into_draft(self) -> Result<ApiKeyDraft, Invalid> {
        ApiKeyDraft::new(&self.name, self.rate_limit)
    }
}

/// An API key. The key itself is in the answer that made it, and nowhere else.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ApiKeyResponse {
    /// Its number.
    #[schema(value_type = i64)]
    pub key_id: ApiKeyId,
    /// The app that it opens.
    #[schema(value_type = i64)]
    pub app_id: AppId,
    /// What people call it.
    pub name: String,
    /// Enough of it to recognise it by.
    pub key_preview: String,
    /// How many requests a minute it takes; 0 is without limit.
    pub rate_limit: u32,
    /// Who made it; null if that account is gone.
    #[schema(value_type = Option<i64>)]
    pub created_by: Option<UserId>,
    /// When it was made.
    #[serde(with = "time::serde::rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    pub create_date: Timestamp,
    /// When it was last used; null if it never was.
    #[serde(with = "time::serde::rfc3339::option")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_used_at: Option<Timestamp>,
}

/// A new API key, with the key: the only answer that has it.
#[derive(Serialize, ToSchema)]
pub struct NewApiKeyResponse {
    /// Its number.
    #[schema(value_type = i64)]
    pub key_id: ApiKeyId,
    /// The key. It is not shown again.
    pub key: String,
    /// The app that it opens.
    #[schema(value_type = i64)]
    pub app_id: AppId,
    /// What people call it.
    pub name: String,
    /// Enough of it to recognise it by.
    pub key_preview: String,
    /// How many requests a minute it takes; 0 is without limit.
    pub rate_limit: u32,
    /// When it was made.
    #[serde(with = "time::serde::rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    pub create_date: Timestamp,
}

impl std::fmt::Debug for NewApiKeyResponse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewApiKeyResponse").field("key_id", &self.key_id).finish_non_exhaustive()
    }
}

impl From<ApiKey> for ApiKeyResponse {
    fn from(key: ApiKey) -> Self {
        Self {
            key_id: key.id,
            app_id: key.app,
            name: key.name,
            key_preview: key.mask,
            rate_limit: key.rate_limit,
            created_by: key.creator,
            create_date: key.created,
            last_used_at: key.last_used,
        }
    }
}

impl From<(ApiKey, SecretString)> for NewApiKeyResponse {
    fn from((made, key): (ApiKey, SecretString)) -> Self {
        Self {
            key_id: made.id,
            key: key.expose_secret().to_owned(),
            app_id: made.app,
            name: made.name,
            key_preview: made.mask,
            rate_limit: made.rate_limit,
            create_date: made.created,
        }
    }
}

/// A key as whoever holds it sees it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct KeyResponse {
    /// Its number.
    #[schema(value_type = i64)]
    pub key_id: ApiKeyId,
    /// What people call it.
    pub name: String,
    /// The app that it opens.
    #[schema(value_type = i64)]
    pub app_id: AppId,
    /// How many requests a minute it takes; 0 is without limit.
    pub rate_limit: u32,
}
