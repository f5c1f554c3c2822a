use omni_domain::{Repository, RepositoryDraft, RepositoryId, RepositoryOverview, RepositoryPatch};
use omni_rbac::{Editor, Grant};

use crate::{Workspace, WorkspaceError};

impl Workspace {
    /// Makes a repository in the grant's app, and with it the silo that its files are searched in.
    ///
    /// # Errors
    /// If it breaks a rule, refers to what the app or this server does not have, or its name is taken.
    pub async fn create_repository(
        &self,
        grant: &Grant<Editor>,
        draft: RepositoryDraft,
    ) -> Result<RepositoryOverview, WorkspaceError> {
        self.check_vector_db(draft.settings.vector_db)?;
        Ok(self.store.create_repository(grant, &draft, self.now()).await?)
    }

    /// Changes a repository of the grant's app, and how its silo is kept and searched.
    ///
    /// # Errors
    /// If there is none with this id, the change breaks a rule or refers to what the app does not have, or it would embed
    /// content anew: [`WorkspaceError::SiloHasContent`].
    pub async fn update_repository(
        &self,
        grant: &Grant<Editor>,
        id: RepositoryId,
        patch: RepositoryPatch,
    ) -> Result<RepositoryOverview, WorkspaceError> {
        let now = self.now();
        let change = |stored: RepositoryOverview| {
            let RepositoryOverview { repository, has_content, .. } = stored;
            let (silo, before) = (repository.silo, repository.settings);
            let next = Repository { updated: now, ..patch.apply(repository)? };
            self.check_change(silo, before, next.settings, has_content)?;
            Ok(next)
        };
        self.store.update_repository(grant, id, change).await?
    }
}
