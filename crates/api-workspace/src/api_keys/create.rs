use omni_http::{ApiError, ByQuery, Call, Created, Ctx, Endpoint, Example, InApp, Json, Method, NoQuery};
use omni_rbac::Owner;
use omni_wire::{CreateApiKeyRequest, NewApiKeyResponse};
use serde_json::json;

use super::{COLLECTION, SECTION};
use crate::WorkspaceApi;

/// Makes an API key. Its answer is the only place where the key is ever shown.
pub(crate) enum Create {}

impl Endpoint for Create {
    type Plane = WorkspaceApi;
    type Access = InApp<ByQuery, Owner>;
    type Path = ();
    type Query = NoQuery;
    type Body = Json<CreateApiKeyRequest>;
    type Reply = Created<NewApiKeyResponse>;

    const METHOD: Method = Method::Post;
    const PATH: &'static str = COLLECTION;
    const SECTION: &'static str = SECTION;
    const SUMMARY: &'static str = "Create new API key";

    fn example() -> Example {
        Example::body(json!({ "name": "Production API Key", "rate_limit": 100 }))
    }

    async fn handle(ctx: Ctx<Self>, call: Call<(), NoQuery, Self::Body>) -> Result<Self::Reply, ApiError> {
        let Json(request) = call.body;
        let made = ctx.state.workspace.create_api_key(&ctx.granted.grant, &request.into_draft()?).await?;
        Ok(Created(made.into()))
    }
}
