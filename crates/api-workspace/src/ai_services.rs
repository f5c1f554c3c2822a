use omni_domain::{AiService, KeyChange, ServiceId};
use omni_http::Example;
use omni_rbac::{Editor, Grant};
use omni_wire::{AiServiceResponse, CreateAiServiceRequest, UpdateAiServiceRequest};
use omni_workspace::WorkspaceError;
use serde_json::json;

use crate::Services;
use crate::resource::{Resource, Summaries};

/// Model providers.
pub(crate) enum AiServices {}

impl Resource for AiServices {
    type Id = ServiceId;
    type Entity = AiService;
    type Response = AiServiceResponse;
    type CreateRequest = CreateAiServiceRequest;
    type UpdateRequest = UpdateAiServiceRequest;

    const COLLECTION: &'static str = "/internal/ai_services";
    const ITEM: &'static str = "/internal/ai_services/{service_id}";
    const SECTION: &'static str = "AI Services";
    const ONE: &'static str = "AI service";
    const SUMMARIES: Summaries = Summaries {
        list: "List AI services in app",
        create: "Create new AI service",
        get: "Get AI service details",
        update: "Update AI service",
        delete: "Delete AI service",
    };

    fn create_example() -> Example {
        Example::body(json!({
            "name": "GPT-4 Service",
            "provider": "openai",
            "model": "gpt-4-turbo",
            "api_key": "sk-example-0123456789",
            "temperature": 0.7,
            "max_tokens": 4096,
        }))
    }

    fn update_example() -> Example {
        Example::body(json!({ "model": "gpt-4o", "temperature": 0.2 }))
    }

    async fn create(
        services: &Services,
        grant: &Grant<Editor>,
        request: CreateAiServiceRequest,
    ) -> Result<AiService, WorkspaceError> {
        services.workspace.create_ai_service(grant, request.into()).await
    }

    async fn update(
        services: &Services,
        grant: &Grant<Editor>,
        id: ServiceId,
        request: UpdateAiServiceRequest,
    ) -> Result<AiService, WorkspaceError> {
        let (patch, key) = request.into_patch();
        services.workspace.update_ai_service(grant, id, patch, KeyChange::read("api_key", key)?).await
    }
}
