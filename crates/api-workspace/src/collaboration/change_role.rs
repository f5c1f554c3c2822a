use std::marker::PhantomData;

use omni_domain::CollaborationId;
use omni_http::{Answer, ApiError, Call, Ctx, Endpoint, Example, InApp, Json, Method, NoQuery, Via};
use omni_rbac::Owner;
use omni_wire::{ChangeRoleRequest, CollaborationResponse};
use serde_json::json;

use super::{SECTION, Spelling};
use crate::WorkspaceApi;

/// Gives a member another role. It counts from their next request.
pub(crate) struct ChangeRole<S>(PhantomData<S>);

impl<S: Spelling> Endpoint for ChangeRole<S> {
    type Plane = WorkspaceApi;
    type Access = InApp<Via<CollaborationId>, Owner>;
    type Path = CollaborationId;
    type Query = NoQuery;
    type Body = Json<ChangeRoleRequest>;
    type Reply = Answer<CollaborationResponse>;

    const METHOD: Method = Method::Put;
    const PATH: &'static str = S::COLLABORATION;
    const SECTION: &'static str = SECTION;
    const SUMMARY: &'static str = "Change a collaborator's role";

    fn example() -> Example {
        Example::body(json!({ "role": "viewer" }))
    }

    async fn handle(ctx: Ctx<Self>, call: Call<CollaborationId, NoQuery, Self::Body>) -> Result<Self::Reply, ApiError> {
        let Json(request) = call.body;
        Ok(Answer(ctx.state.workspace.change_role(&ctx.granted.grant, call.path, &request.role).await?.into()))
    }
}
