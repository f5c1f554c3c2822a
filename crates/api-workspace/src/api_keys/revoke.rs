use omni_domain::ApiKeyId;
use omni_http::{ApiError, Call, Ctx, Deleted, Endpoint, Example, InApp, Method, NoBody, NoQuery, Via};
use omni_rbac::Owner;

use super::{ITEM, SECTION};
use crate::WorkspaceApi;

/// Revokes an API key, from the next request on.
pub(crate) enum Revoke {}

impl Endpoint for Revoke {
    type Plane = WorkspaceApi;
    type Access = InApp<Via<ApiKeyId>, Owner>;
    type Path = ApiKeyId;
    type Query = NoQuery;
    type Body = NoBody;
    type Reply = Deleted;

    const METHOD: Method = Method::Delete;
    const PATH: &'static str = ITEM;
    const SECTION: &'static str = SECTION;
    const SUMMARY: &'static str = "Revoke API key";

    fn example() -> Example {
        Example::plain()
    }

    async fn handle(ctx: Ctx<Self>, call: Call<ApiKeyId, NoQuery, NoBody>) -> Result<Deleted, ApiError> {
        ctx.state.workspace.revoke_api_key(&ctx.granted.grant, call.path).await?;
        Ok(Deleted("API key revoked".to_owned()))
    }
}
