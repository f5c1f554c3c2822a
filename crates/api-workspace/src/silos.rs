use omni_domain::{SiloId, SiloOverview};
use omni_http::Example;
use omni_rbac::{Editor, Grant};
use omni_wire::{CreateSiloRequest, SiloResponse, UpdateSiloRequest};
use omni_workspace::WorkspaceError;
use serde_json::json;

use crate::Services;
use crate::resource::{Resource, Summaries};

/// Documents that are searched together.
pub(crate) enum Silos {}

impl Resource for Silos {
    type Id = SiloId;
    type Entity = SiloOverview;
    type Response = SiloResponse;
    type CreateRequest = CreateSiloRequest;
    type UpdateRequest = UpdateSiloRequest;

    const COLLECTION: &'static str = "/internal/silos";
    const ITEM: &'static str = "/internal/silos/{silo_id}";
    const SECTION: &'static str = "Silos & Vector Stores";
    const ONE: &'static str = "Silo";
    const SUMMARIES: Summaries = Summaries {
        list: "List silos in app",
        create: "Create new silo",
        get: "Get silo details",
        update: "Update silo",
        delete: "Delete silo",
    };

    fn create_example() -> Example {
        Example::body(json!({
            "name": "Knowledge Base",
            "description": "Company documentation",
            "vector_db_type": "PGVECTOR",
            "retrieval_count": 5,
        }))
    }

    fn update_example() -> Example {
        Example::body(json!({ "description": "All company documentation", "retrieval_count": 8 }))
    }

    async fn create(
        services: &Services,
        grant: &Grant<Editor>,
        request: CreateSiloRequest,
    ) -> Result<SiloOverview, WorkspaceError> {
        services.workspace.create_silo(grant, request.into_draft()?).await
    }

    async fn update(
        services: &Services,
        grant: &Grant<Editor>,
        id: SiloId,
        request: UpdateSiloRequest,
    ) -> Result<SiloOverview, WorkspaceError> {
        services.workspace.update_silo(grant, id, request.into()).await
    }

    fn after_delete(services: &Services, _id: SiloId) {
        services.knowledge.something_was_deleted();
    }
}
