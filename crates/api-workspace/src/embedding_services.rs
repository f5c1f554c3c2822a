use omni_domain::{EmbeddingService, EmbeddingServiceId, KeyChange};
use omni_http::Example;
use omni_rbac::{Editor, Grant};
use omni_wire::{CreateEmbeddingServiceRequest, EmbeddingServiceResponse, UpdateEmbeddingServiceRequest};
use omni_workspace::WorkspaceError;
use serde_json::json;

use crate::Services;
use crate::resource::{Resource, Summaries};

/// Providers of embeddings.
pub(crate) enum EmbeddingServices {}

impl Resource for EmbeddingServices {
    type Id = EmbeddingServiceId;
    type Entity = EmbeddingService;
    type Response = EmbeddingServiceResponse;
    type CreateRequest = CreateEmbeddingServiceRequest;
    type UpdateRequest = UpdateEmbeddingServiceRequest;

    const COLLECTION: &'static str = "/internal/embedding_services";
    const ITEM: &'static str = "/internal/embedding_services/{service_id}";
    const SECTION: &'static str = "Embedding Services";
    const ONE: &'static str = "Embedding service";
    const SUMMARIES: Summaries = Summaries {
        list: "List embedding services",
        create: "Create new embedding service",
        get: "Get embedding service details",
        update: "Update embedding service",
        delete: "Delete embedding service",
    };

    fn create_example() -> Example {
        Example::body(json!({
            "name": "OpenAI Embeddings",
            "provider": "openai",
            "model": "text-embedding-3-small",
            "api_key": "sk-example-0123456789",
            "dimensions": 512,
        }))
    }

    fn update_example() -> Example {
        Example::body(json!({ "description": "For the handbooks", "api_key": "sk-example-9876543210" }))
    }

    async fn create(
        services: &Services,
        grant: &Grant<Editor>,
        request: CreateEmbeddingServiceRequest,
    ) -> Result<EmbeddingService, WorkspaceError> {
        services.workspace.create_embedding_service(grant, request.into()).await
    }

    async fn update(
        services: &Services,
        grant: &Grant<Editor>,
        id: EmbeddingServiceId,
        request: UpdateEmbeddingServiceRequest,
    ) -> Result<EmbeddingService, WorkspaceError> {
        let (patch, key) = request.into_patch();
        services.workspace.update_embedding_service(grant, id, patch, KeyChange::read("api_key", key)?).await
    }
}
