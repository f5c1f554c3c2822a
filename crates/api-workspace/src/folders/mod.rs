mod list;

use omni_domain::{FolderId, FolderOverview};
use omni_http::Example;
use omni_rbac::{Editor, Grant};
use omni_wire::{CreateFolderRequest, FolderResponse, UpdateFolderRequest};
use omni_workspace::WorkspaceError;
use serde_json::json;

pub(crate) use list::ListFolders;

use crate::Services;
use crate::resource::{Resource, Summaries};

/// The section of the documentation.
const SECTION: &str = "Folders";

/// Folders of repositories; they are listed by repository, and so by an endpoint of their own.
pub(crate) enum Folders {}

impl Resource for Folders {
    type Id = FolderId;
    type Entity = FolderOverview;
    type Response = FolderResponse;
    type CreateRequest = CreateFolderRequest;
    type UpdateRequest = UpdateFolderRequest;

    const COLLECTION: &'static str = "/internal/folders";
    const ITEM: &'static str = "/internal/folders/{folder_id}";
    const SECTION: &'static str = SECTION;
    const ONE: &'static str = "Folder";
    const SUMMARIES: Summaries = Summaries {
        list: "List folders in app",
        create: "Create new folder",
        get: "Get folder details",
        update: "Rename or move folder",
        delete: "Delete folder",
    };

    fn create_example() -> Example {
        Example::body(json!({ "repository_id": 1, "name": "Contracts" }))
    }

    fn update_example() -> Example {
        Example::body(json!({ "name": "Signed contracts" }))
    }

    async fn create(
        services: &Services,
        grant: &Grant<Editor>,
        request: CreateFolderRequest,
    ) -> Result<FolderOverview, WorkspaceError> {
        services.workspace.create_folder(grant, request.into_draft()?).await
    }

    async fn update(
        services: &Services,
        grant: &Grant<Editor>,
        id: FolderId,
        request: UpdateFolderRequest,
    ) -> Result<FolderOverview, WorkspaceError> {
        services.workspace.update_folder(grant, id, request.into()).await
    }

    fn after_delete(services: &Services, _id: FolderId) {
        services.knowledge.something_was_deleted();
    }
}
