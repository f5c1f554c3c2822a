use omni_domain::{Invalid, Silo, SiloDraft, SiloId, SiloOverview, SiloPatch, SiloSettings, VectorDbType};
use omni_rbac::{Editor, Grant};

use crate::{Workspace, WorkspaceError};

impl Workspace {
    /// Makes a silo in the grant's app.
    ///
    /// # Errors
    /// If it breaks a rule, refers to what the app or this server does not have, or its name is taken.
    pub async fn create_silo(&self, grant: &Grant<Editor>, draft: SiloDraft) -> Result<SiloOverview, WorkspaceError> {
        self.check_vector_db(draft.settings.vector_db)?;
        Ok(self.store.create_silo(grant, &draft, self.now()).await?)
    }

    /// Changes a silo of the grant's app.
    ///
    /// # Errors
    /// If there is none with this id, the change breaks a rule or refers to what the app does not have, or it would embed
    /// content anew: [`WorkspaceError::SiloHasContent`].
    pub async fn update_silo(
        &self,
        grant: &Grant<Editor>,
        id: SiloId,
        patch: SiloPatch,
    ) -> Result<SiloOverview, WorkspaceError> {
        let now = self.now();
        let change = |stored: SiloOverview| {
            let (before, has_content) = (stored.silo.settings, stored.has_content);
            let next = Silo { updated: now, ..patch.apply(stored.silo)? };
            self.check_change(id, before, next.settings, has_content)?;
            Ok(next)
        };
        self.store.update_silo(grant, id, change).await?
    }

    /// Whether a silo with these settings can have those. What is in it was embedded by what embeds it now.
    pub(crate) fn check_change(
        &self,
        silo: SiloId,
        before: SiloSettings,
        after: SiloSettings,
        has_content: bool,
    ) -> Result<(), WorkspaceError> {
        if has_content && !after.embeds_like(before) {
            return Err(WorkspaceError::SiloHasContent { silo });
        }
        // What is there already stays, also when its server has been taken away.
        if after.vector_db == before.vector_db { Ok(()) } else { self.check_vector_db(after.vector_db) }
    }

    /// Whether this server can keep vectors there.
    pub(crate) fn check_vector_db(&self, kind: VectorDbType) -> Result<(), WorkspaceError> {
        match kind {
            VectorDbType::Qdrant if !self.has_qdrant => Err(Invalid::new(
                "vector_db_type",
                "this server has no Qdrant; use PGVECTOR, or have its operator set OMNI_QDRANT_URL",
            )
            .into()),
            VectorDbType::Qdrant | VectorDbType::PgVector => Ok(()),
        }
    }
}
