use omni_domain::UserId;
use omni_http::{ApiError, Call, Ctx, Deleted, Endpoint, Example, Method, NoBody, Platform};
use omni_rbac::Omniadmin;
use serde::Deserialize;
use utoipa::IntoParams;

use super::{ITEM, SECTION};
use crate::WorkspaceApi;

/// Removes an account with all that is the person's own. Whoever owns apps is removed only if somebody takes them over.
pub(crate) enum Delete {}

/// What becomes of the person's apps.
#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
pub(crate) struct Inheritance {
    /// Who owns them from now on.
    #[serde(default)]
    #[param(value_type = Option<i64>)]
    transfer_to: Option<UserId>,
}

impl Endpoint for Delete {
    type Plane = WorkspaceApi;
    type Access = Platform<Omniadmin>;
    type Path = UserId;
    type Query = Inheritance;
    type Body = NoBody;
    type Reply = Deleted;

    const METHOD: Method = Method::Delete;
    const PATH: &'static str = ITEM;
    const SECTION: &'static str = SECTION;
    const SUMMARY: &'static str = "Delete user";

    fn example() -> Example {
        Example::plain()
    }

    async fn handle(ctx: Ctx<Self>, call: Call<UserId, Inheritance, NoBody>) -> Result<Deleted, ApiError> {
        ctx.state.accounts.delete(&ctx.granted.grant, call.path, call.query.transfer_to).await?;
        ctx.state.turns.cancel_person(call.path);
        // Their apps may have gone with them.
        ctx.state.knowledge.something_was_deleted();
        Ok(Deleted("User deleted".to_owned()))
    }
}
