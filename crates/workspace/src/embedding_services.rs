use omni_domain::{
    EmbeddingService, EmbeddingServiceDraft, EmbeddingServiceId, EmbeddingServicePatch, Invalid, KeyChange,
};
use omni_models::EmbeddingTarget;
use omni_persistence::StoredKey;
use omni_rbac::{Editor, Grant};
use secrecy::SecretString;

use crate::provider::{address_of, first_key, key_after, read_target};
use crate::workspace::EMBEDDING_SERVICE_KEY;
use crate::{Workspace, WorkspaceError};

impl Workspace {
    /// Makes an embedding service in the grant's app.
    ///
    /// # Errors
    /// If it breaks a rule, could not be talked to, or its name is taken.
    pub async fn create_embedding_service(
        &self,
        grant: &Grant<Editor>,
        draft: EmbeddingServiceDraft,
    ) -> Result<EmbeddingService, WorkspaceError> {
        let draft = draft.check()?;
        let key = first_key(draft.api_key)?;
        let now = self.now();
        let service = EmbeddingService {
            id: self.store.reserve_embedding_service(grant).await?,
            app: grant.app(),
            name: draft.name,
            description: draft.description,
            provider: draft.provider,
            model: draft.model,
            base_url: draft.base_url,
            api_version: draft.api_version,
            key_mask: None,
            dimensions: draft.dimensions,
            created: now,
            updated: now,
        };
        let service = self.check_embedding_target(service, key.clone())?;
        let sealed = key.map(|key| self.seal(grant, EMBEDDING_SERVICE_KEY, service.id.get(), &key)).transpose()?;
        Ok(self.store.create_embedding_service(grant, &service, sealed.as_ref()).await?)
    }

    /// Changes an embedding service of the grant's app. A service that moves to another provider or address has its key
    /// entered again: whoever may edit it must not be able to have the stored one sent elsewhere.
    ///
    /// # Errors
    /// If there is none with this id, or the change breaks a rule.
    pub async fn update_embedding_service(
        &self,
        grant: &Grant<Editor>,
        id: EmbeddingServiceId,
        patch: EmbeddingServicePatch,
        key: KeyChange,
    ) -> Result<EmbeddingService, WorkspaceError> {
        self.store
            .update_embedding_service(grant, id, |stored| self.changed_embedding(grant, &stored, patch, key))
            .await?
    }

    fn changed_embedding(
        &self,
        grant: &Grant<Editor>,
        stored: &EmbeddingService,
        patch: EmbeddingServicePatch,
        key: KeyChange,
    ) -> Result<(EmbeddingService, StoredKey), WorkspaceError> {
        let mut next = patch.apply(stored.clone())?;
        next.updated = self.now();
        let next = self.check_embedding_target(next, key_after(&key, stored.key_mask.as_deref()))?;
        if matches!(key, KeyChange::Keep) && stored.asks_for_key_again(&next) {
            return Err(Invalid::new("api_key", "enter it again, because the provider or the base URL changes").into());
        }
        let key = match key {
            KeyChange::Keep => StoredKey::Keep,
            KeyChange::Clear => StoredKey::Replace(None),
            KeyChange::Set(key) => {
                StoredKey::Replace(Some(self.seal(grant, EMBEDDING_SERVICE_KEY, next.id.get(), &key)?))
            }
        };
        Ok((next, key))
    }

    /// Whether the service could be talked to, and its provider's and address's canonical forms.
    fn check_embedding_target(
        &self,
        service: EmbeddingService,
        key: Option<SecretString>,
    ) -> Result<EmbeddingService, WorkspaceError> {
        let (base_url, api_version) = (service.base_url.as_deref(), service.api_version.as_deref());
        let model = read_target(&service.provider, &service.model, base_url, api_version, key)?;
        let target = EmbeddingTarget { model, dimensions: service.dimensions };
        self.models
            .check_embedding(&target)
            .map_err(|problem| WorkspaceError::Service { field: problem.field().unwrap_or("base_url"), problem })?;
        let (provider, base_url) = (target.model.provider.name().to_owned(), address_of(&target.model));
        Ok(EmbeddingService { provider, base_url, ..service })
    }
}
