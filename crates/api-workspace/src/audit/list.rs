use omni_domain::AppId;
use omni_http::{ApiError, ByPath, Call, Ctx, Endpoint, Example, InApp, Method, NoBody, Paged};
use omni_rbac::Owner;
use omni_wire::AuditEntryResponse;

use super::{SECTION, Wanted, shown};
use crate::WorkspaceApi;

/// Lists who did what in an app, and who was refused what, latest first.
pub(crate) enum List {}

impl Endpoint for List {
    type Plane = WorkspaceApi;
    type Access = InApp<ByPath, Owner>;
    type Path = AppId;
    type Query = Wanted;
    type Body = NoBody;
    type Reply = Paged<AuditEntryResponse>;

    const METHOD: Method = Method::Get;
    const PATH: &'static str = "/internal/apps/{app_id}/audit";
    const SECTION: &'static str = SECTION;
    const SUMMARY: &'static str = "List the app's audit trail";
    const DETAILS: &'static str = "Every change of what the app holds and of who belongs to it, with what it was and what it \
        is, and every request that was refused, up to 30 a minute of one caller. Talking to agents is in conversations \
        and usage.";

    fn example() -> Example {
        Example::plain()
    }

    async fn handle(ctx: Ctx<Self>, call: Call<AppId, Wanted, NoBody>) -> Result<Self::Reply, ApiError> {
        let (filter, page) = (call.query.filter()?, call.query.paging().of_long_list()?);
        shown(&ctx.state.workspace.audit(&ctx.granted.grant, &filter, page).await?)
    }
}
