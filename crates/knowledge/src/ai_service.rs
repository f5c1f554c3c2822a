//! The AI services that knowledge asks: one that sees, one that puts passages in order.

use omni_domain::{AiService, ServiceId};
use omni_persistence::{AppScoped, StoreError};
use omni_rbac::{Grant, Viewer};
use omni_sealing::Place;
use secrecy::SecretString;

use crate::{Knowledge, KnowledgeError};

impl Knowledge {
    /// An AI service of the grant's app, and its key.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if the app has no such service, [`KnowledgeError::KeyLost`] if its key cannot be opened.
    pub(crate) async fn ai_service(
        &self,
        grant: &Grant<Viewer>,
        id: ServiceId,
    ) -> Result<(AiService, Option<SecretString>), KnowledgeError> {
        let service = AiService::find(&self.parts.store, grant, id).await?.ok_or(StoreError::NotFound)?;
        let Some(sealed) = self.parts.store.ai_service_key(grant, id).await? else { return Ok((service, None)) };
        let place = Place { column: self.parts.ai_service_key, app: grant.app(), row: id.get() };
        match self.parts.key.open(&sealed, place) {
            Ok(key) => Ok((service, Some(key))),
            Err(cause) => Err(KnowledgeError::KeyLost { service: service.name, cause }),
        }
    }
}
