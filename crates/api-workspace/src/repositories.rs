use omni_domain::{RepositoryId, RepositoryOverview};
use omni_http::Example;
use omni_rbac::{Editor, Grant};
use omni_wire::{CreateRepositoryRequest, RepositoryResponse, UpdateRepositoryRequest};
use omni_workspace::WorkspaceError;
use serde_json::json;

use crate::Services;
use crate::resource::{Resource, Summaries};

/// Files in folders.
pub(crate) enum Repositories {}

impl Resource for Repositories {
    type Id = RepositoryId;
    type Entity = RepositoryOverview;
    type Response = RepositoryResponse;
    type CreateRequest = CreateRepositoryRequest;
    type UpdateRequest = UpdateRepositoryRequest;

    const COLLECTION: &'static str = "/internal/repositories";
    const ITEM: &'static str = "/internal/repositories/{repo_id}";
    const SECTION: &'static str = "Repositories";
    const ONE: &'static str = "Repository";
    const SUMMARIES: Summaries = Summaries {
        list: "List repositories in app",
        create: "Create new repository",
        get: "Get repository details",
        update: "Update repository",
        delete: "Delete repository",
    };

    fn create_example() -> Example {
        Example::body(json!({ "name": "Handbooks", "description": "What everybody has to know", "retrieval_count": 5 }))
    }

    fn update_example() -> Example {
        Example::body(json!({ "description": "What everybody should know", "retrieval_count": 8 }))
    }

    async fn create(
        services: &Services,
        grant: &Grant<Editor>,
        request: CreateRepositoryRequest,
    ) -> Result<RepositoryOverview, WorkspaceError> {
        services.workspace.create_repository(grant, request.into_draft()?).await
    }

    async fn update(
        services: &Services,
        grant: &Grant<Editor>,
        id: RepositoryId,
        request: UpdateRepositoryRequest,
    ) -> Result<RepositoryOverview, WorkspaceError> {
        services.workspace.update_repository(grant, id, request.into()).await
    }

    fn after_delete(services: &Services, _id: RepositoryId) {
        services.knowledge.something_was_deleted();
    }
}
