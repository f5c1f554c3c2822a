use omni_domain::{FolderDraft, FolderId, FolderOverview, FolderPatch, Page, PageRequest, RepositoryId};
use omni_rbac::{Editor, Grant, Viewer};

use crate::{Workspace, WorkspaceError};

impl Workspace {
    /// One page of the folders of a repository of the grant's app, at whatever depth.
    ///
    /// # Errors
    /// If the database is away.
    pub async fn list_folders(
        &self,
        grant: &Grant<Viewer>,
        repository: RepositoryId,
        page: PageRequest,
    ) -> Result<Page<FolderOverview>, WorkspaceError> {
        Ok(self.store.list_folders(grant, repository, page).await?)
    }

    /// Makes a folder in a repository of the grant's app.
    ///
    /// # Errors
    /// If the repository or the folder that it shall be in is not there, or its name is taken beside it.
    pub async fn create_folder(
        &self,
        grant: &Grant<Editor>,
        draft: FolderDraft,
    ) -> Result<FolderOverview, WorkspaceError> {
        Ok(self.store.create_folder(grant, &draft, self.now()).await?)
    }

    /// Renames or moves a folder of the grant's app within its repository.
    ///
    /// # Errors
    /// If there is none with this id, or it cannot be called so or be there.
    pub async fn update_folder(
        &self,
        grant: &Grant<Editor>,
        id: FolderId,
        patch: FolderPatch,
    ) -> Result<FolderOverview, WorkspaceError> {
        Ok(self.store.update_folder(grant, id, patch, self.now()).await?)
    }
}
