use std::fmt;
use std::sync::Arc;

use omni_domain::{Clock, Entropy, Page, PageRequest, Timestamp};
use omni_models::Models;
use omni_persistence::{AppScoped, Store, StoreError};
use omni_rbac::{Editor, Grant, Viewer};
use omni_sealing::MasterKey;

use crate::WorkspaceError;

/// Where an AI service's key is sealed for.
pub const AI_SERVICE_KEY: &str = "ai_services.api_key";
/// Where an embedding service's key is sealed for.
pub const EMBEDDING_SERVICE_KEY: &str = "embedding_services.api_key";

/// The use cases of a workspace.
pub struct Workspace {
    pub(crate) store: Store,
    pub(crate) models: Models,
    pub(crate) key: MasterKey,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) has_qdrant: bool,
}

impl fmt::Debug for Workspace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Workspace").field("store", &self.store).finish_non_exhaustive()
    }
}

impl Workspace {
    /// Puts the use cases on their store.
    #[must_use]
    pub fn new(store: Store, models: Models, key: MasterKey, clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>) -> Self {
        Self { store, models, key, clock, entropy, has_qdrant: false }
    }

    /// The same with silos of the type `QDRANT`, for whose vectors there is a server.
    #[must_use]
    pub fn with_qdrant(self, configured: bool) -> Self {
        Self { has_qdrant: configured, ..self }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// One page of the things of a kind that the grant's app has.
    ///
    /// # Errors
    /// If the database is away.
    pub async fn list<T: AppScoped>(
        &self,
        grant: &Grant<Viewer>,
        page: PageRequest,
    ) -> Result<Page<T>, WorkspaceError> {
        Ok(T::list(&self.store, grant, page).await?)
    }

    /// One thing of the grant's app.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if the app has none with this id.
    pub async fn get<T: AppScoped>(&self, grant: &Grant<Viewer>, id: T::Id) -> Result<T, WorkspaceError> {
        Ok(T::find(&self.store, grant, id).await?.ok_or(StoreError::NotFound)?)
    }

    /// Removes one thing of the grant's app, and all that belongs to it.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if the app has none with this id, [`StoreError::Conflict`] if something else uses it.
    pub async fn delete<T: AppScoped>(&self, grant: &Grant<Editor>, id: T::Id) -> Result<(), WorkspaceError> {
        Ok(T::delete(&self.store, grant, id).await?)
    }
}
