use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use omni_domain::{API_KEY_PREFIX, ApiKey, ApiKeyDraft, ApiKeyId, Page, PageRequest, mask};
use omni_rbac::{ApiKeyDigest, Grant, Owner, Viewer};
use secrecy::SecretString;

use crate::{Workspace, WorkspaceError};

impl Workspace {
    /// One page of the grant's app's API keys.
    ///
    /// # Errors
    /// If the database is away.
    pub async fn list_api_keys(
        &self,
        grant: &Grant<Viewer>,
        page: PageRequest,
    ) -> Result<Page<ApiKey>, WorkspaceError> {
        Ok(self.store.list_api_keys(grant, page).await?)
    }

    /// Makes an API key of 256 random bits. This is the only time that it is told.
    ///
    /// # Errors
    /// If the database is away.
    pub async fn create_api_key(
        &self,
        grant: &Grant<Owner>,
        draft: &ApiKeyDraft,
    ) -> Result<(ApiKey, SecretString), WorkspaceError> {
        let mut bytes = [0; 32];
        self.entropy.fill(&mut bytes);
        let key = format!("{API_KEY_PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes));
        let digest = ApiKeyDigest::of(&key);
        let made = self.store.create_api_key(grant, draft, &digest, &mask(&key), self.now()).await?;
        Ok((made, key.into()))
    }

    /// Revokes an API key.
    ///
    /// # Errors
    /// If the app has none with this number.
    pub async fn revoke_api_key(&self, grant: &Grant<Owner>, id: ApiKeyId) -> Result<(), WorkspaceError> {
        Ok(self.store.revoke_api_key(grant, id).await?)
    }
}
