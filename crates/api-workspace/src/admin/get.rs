use omni_domain::UserId;
use omni_http::{Answer, ApiError, Call, Ctx, Endpoint, Example, Method, NoBody, NoQuery, Platform};
use omni_rbac::Omniadmin;
use omni_wire::AccountResponse;

use super::{ITEM, SECTION, shown};
use crate::WorkspaceApi;

/// Shows somebody's account.
pub(crate) enum Get {}

impl Endpoint for Get {
    type Plane = WorkspaceApi;
    type Access = Platform<Omniadmin>;
    type Path = UserId;
    type Query = NoQuery;
    type Body = NoBody;
    type Reply = Answer<AccountResponse>;

    const METHOD: Method = Method::Get;
    const PATH: &'static str = ITEM;
    const SECTION: &'static str = SECTION;
    const SUMMARY: &'static str = "Get user details";

    fn example() -> Example {
        Example::plain()
    }

    async fn handle(ctx: Ctx<Self>, call: Call<UserId, NoQuery, NoBody>) -> Result<Self::Reply, ApiError> {
        Ok(Answer(shown(&ctx.state, ctx.state.accounts.get(&ctx.granted.grant, call.path).await?)))
    }
}
