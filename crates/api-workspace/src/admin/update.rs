use omni_domain::UserId;
use omni_http::{Answer, ApiError, Call, Ctx, Endpoint, Example, Json, Method, NoQuery, Platform};
use omni_rbac::Omniadmin;
use omni_wire::{AccountResponse, UpdateAccountRequest};
use serde_json::json;

use super::{ITEM, SECTION, shown};
use crate::WorkspaceApi;

/// Changes somebody's name, or shuts them out or lets them in again.
pub(crate) enum Update {}

impl Endpoint for Update {
    type Plane = WorkspaceApi;
    type Access = Platform<Omniadmin>;
    type Path = UserId;
    type Query = NoQuery;
    type Body = Json<UpdateAccountRequest>;
    type Reply = Answer<AccountResponse>;

    const METHOD: Method = Method::Put;
    const PATH: &'static str = ITEM;
    const SECTION: &'static str = SECTION;
    const SUMMARY: &'static str = "Update user";

    fn example() -> Example {
        Example::body(json!({ "name": "Grace Hopper", "is_active": false }))
    }

    async fn handle(ctx: Ctx<Self>, call: Call<UserId, NoQuery, Self::Body>) -> Result<Self::Reply, ApiError> {
        let Json(request) = call.body;
        let changed = ctx.state.accounts.update(&ctx.granted.grant, call.path, request.into()).await?;
        if !changed.user.is_active {
            ctx.state.turns.cancel_person(changed.user.id);
        }
        Ok(Answer(shown(&ctx.state, changed)))
    }
}
