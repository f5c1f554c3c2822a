use omni_domain::{AiService, AiServiceDraft, AiServicePatch, Invalid, KeyChange, Patch, ServiceId, mask};
use omni_models::{ModelTarget, Provider, parse_base_url};
use omni_persistence::{SealedKey, StoredKey};
use omni_rbac::{Editor, Grant};
use omni_sealing::Place;
use secrecy::{ExposeSecret, SecretString};

use crate::workspace::AI_SERVICE_KEY;
use crate::{Workspace, WorkspaceError};

impl Workspace {
    /// Makes an AI service in the grant's app.
    ///
    /// # Errors
    /// If it breaks a rule, could not be talked to, or its name is taken.
    pub async fn create_ai_service(
        &self,
        grant: &Grant<Editor>,
        draft: AiServiceDraft,
    ) -> Result<AiService, WorkspaceError> {
        let draft = draft.check()?;
        let key = match draft.api_key.map(|key| KeyChange::read("api_key", Patch::Set(key))).transpose()? {
            Some(KeyChange::Set(key)) => Some(key),
            Some(KeyChange::Keep) => {
                return Err(Invalid::new("api_key", "is masked; a new service has no stored key to keep").into());
            }
            Some(KeyChange::Clear) | None => None,
        };
        let now = self.now();
        let service = AiService {
            id: self.store.reserve_ai_service(grant).await?,
            app: grant.app(),
            name: draft.name,
            description: draft.description,
            provider: draft.provider,
            model: draft.model,
            base_url: draft.base_url,
            api_version: draft.api_version,
            key_mask: None,
            temperature: draft.temperature,
            max_tokens: draft.max_tokens,
            created: now,
            updated: now,
        };
        let service = self.check_target(service, key.as_ref())?;
        let sealed = key.map(|key| self.seal(grant, service.id, &key)).transpose()?;
        Ok(self.store.create_ai_service(grant, &service, sealed.as_ref()).await?)
    }

    /// Changes an AI service of the grant's app. A service that moves to another provider or address has its key entered
    /// again: whoever may edit it must not be able to have the stored one sent elsewhere.
    ///
    /// # Errors
    /// If there is none with this id, or the change breaks a rule.
    pub async fn update_ai_service(
        &self,
        grant: &Grant<Editor>,
        id: ServiceId,
        patch: AiServicePatch,
        key: KeyChange,
    ) -> Result<AiService, WorkspaceError> {
        self.store.update_ai_service(grant, id, |stored| self.changed(grant, &stored, patch, key)).await?
    }

    fn changed(
        &self,
        grant: &Grant<Editor>,
        stored: &AiService,
        patch: AiServicePatch,
        key: KeyChange,
    ) -> Result<(AiService, StoredKey), WorkspaceError> {
        let mut next = patch.apply(stored.clone())?;
        next.updated = self.now();
        let new_key = if let KeyChange::Set(key) = &key { Some(key) } else { None };
        // What is stored stands in for a key that stays: only that there is one matters here.
        let kept = matches!(key, KeyChange::Keep).then(|| stored.key_mask.clone().map(SecretString::from)).flatten();
        let next = self.check_target(next, new_key.or(kept.as_ref()))?;
        if matches!(key, KeyChange::Keep) && stored.asks_for_key_again(&next) {
            return Err(Invalid::new("api_key", "enter it again, because the provider or the base URL changes").into());
        }
        let key = match key {
            KeyChange::Keep => StoredKey::Keep,
            KeyChange::Clear => StoredKey::Replace(None),
            KeyChange::Set(key) => StoredKey::Replace(Some(self.seal(grant, next.id, &key)?)),
        };
        Ok((next, key))
    }

    /// Whether the service could be talked to, and its provider's and address's canonical forms.
    fn check_target(&self, service: AiService, key: Option<&SecretString>) -> Result<AiService, WorkspaceError> {
        let provider: Provider =
            service.provider.parse().map_err(|problem| WorkspaceError::Service { field: "provider", problem })?;
        let base_url = service
            .base_url
            .as_deref()
            .map(parse_base_url)
            .transpose()
            .map_err(|problem| WorkspaceError::Service { field: "base_url", problem })?;
        let service = AiService {
            provider: provider.name().to_owned(),
            base_url: base_url.as_ref().map(|url| url.as_str().trim_end_matches('/').to_owned()),
            ..service
        };
        let mut target = ModelTarget::new(provider, service.model.as_str());
        target.base_url = base_url;
        target.api_key = key.cloned();
        target.api_version = service.api_version.clone();
        self.models
            .check(&target)
            .map_err(|problem| WorkspaceError::Service { field: problem.field().unwrap_or("base_url"), problem })?;
        Ok(service)
    }

    fn seal(&self, grant: &Grant<Editor>, id: ServiceId, key: &SecretString) -> Result<SealedKey, WorkspaceError> {
        let place = Place { column: AI_SERVICE_KEY, app: grant.app(), row: id.get() };
        let sealed = self.key.seal(key, place, &*self.entropy)?;
        Ok(SealedKey { sealed, mask: mask(key.expose_secret()) })
    }
}
