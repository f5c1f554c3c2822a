use omni_domain::{AppId, FolderDraft, FolderId, FolderOverview, FolderPatch, Invalid, Patch, RepositoryId, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A new folder.
#[derive(Debug, Clone, Deserialize, ToSchema)]
pub struct CreateFolderRequest {
    /// The repository that it will be in.
    #[schema(value_type = i64)]
    pub repository_id: RepositoryId,
    /// The folder of that repository that it will be in; without one, the repository itself.
    #[serde(default)]
    #[schema(value_type = Option<i64>)]
    pub parent_folder_id: Option<FolderId>,
    /// What members will call it; unique beside its siblings, without slashes.
    #[schema(min_length = 1, max_length = 255)]
    pub name: String,
}

impl CreateFolderRequest {
    /// Checks it, except for what it refers to.
    ///
    /// # Errors
    /// An [`Invalid`] that names the field.
    pub fn into_draft(self) -> Result<FolderDraft, Invalid> {
        FolderDraft::new(self.repository_id, self.parent_folder_id, &self.name)
    }
}

/// A change of a folder; what is left out stays.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
pub struct UpdateFolderRequest {
    /// A new name.
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 255)]
    pub name: Patch<String>,
    /// Another folder of the same repository to be in; null is the repository itself.
    #[serde(default)]
    #[schema(value_type = Option<i64>)]
    pub parent_folder_id: Patch<FolderId>,
}

impl From<UpdateFolderRequest> for FolderPatch {
    fn from(request: UpdateFolderRequest) -> Self {
        Self { name: request.name, parent: request.parent_folder_id }
    }
}

/// A folder.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct FolderResponse {
    /// Its number.
    #[schema(value_type = i64)]
    pub folder_id: FolderId,
    /// The app that it belongs to.
    #[schema(value_type = i64)]
    pub app_id: AppId,
    /// The repository that it is in.
    #[schema(value_type = i64)]
    pub repository_id: RepositoryId,
    /// The folder that it is in; null is the repository itself.
    #[schema(value_type = Option<i64>)]
    pub parent_folder_id: Option<FolderId>,
    /// What members call it.
    pub name: String,
    /// How many folders are right in it.
    pub subfolder_count: u64,
    /// How many files are right in it.
    pub document_count: u64,
    /// When it was made.
    #[serde(with = "time::serde::rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    pub create_date: Timestamp,
    /// When it last changed.
    #[serde(with = "time::serde::rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    pub update_date: Timestamp,
}

impl From<FolderOverview> for FolderResponse {
    fn from(overview: FolderOverview) -> Self {
        let FolderOverview { folder, subfolders, documents } = overview;
        Self {
            folder_id: folder.id,
            app_id: folder.app,
            repository_id: folder.repository,
            parent_folder_id: folder.parent,
            name: folder.name,
            subfolder_count: subfolders,
            document_count: documents,
            create_date: folder.created,
            update_date: folder.updated,
        }
    }
}
