use omni_domain::AppId;
use omni_http::{ApiError, Call, Ctx, Endpoint, Example, Method, NoBody, Paged, Paging, Platform};
use omni_rbac::Omniadmin;
use omni_wire::AuditEntryResponse;
use serde::Deserialize;
use utoipa::IntoParams;

use super::{SECTION, Wanted, shown};
use crate::WorkspaceApi;

/// Lists who did what anywhere, and who was refused what, latest first.
pub(crate) enum AdminList {}

/// Which entries are wanted, and of which trail.
#[derive(Debug, Clone, Deserialize, IntoParams)]
pub(crate) struct WantedAnywhere {
    /// Only the trail of this app, which may be gone.
    #[serde(default)]
    app_id: Option<i64>,
    /// The number of the page, from 1.
    #[serde(default)]
    page: Option<u32>,
    /// How many items a page has.
    #[serde(default)]
    per_page: Option<u32>,
    /// Only what this person did.
    #[serde(default)]
    actor_id: Option<i64>,
    /// Only this act, such as `agent.update`; with a dot at its end all that begin so, such as `agent.`.
    #[serde(default)]
    action: Option<String>,
    /// `done` or `refused`.
    #[serde(default)]
    outcome: Option<String>,
    /// From then on (RFC 3339).
    #[serde(default)]
    #[param(format = DateTime)]
    since: Option<String>,
    /// Before then (RFC 3339).
    #[serde(default)]
    #[param(format = DateTime)]
    until: Option<String>,
}

impl Endpoint for AdminList {
    type Plane = WorkspaceApi;
    type Access = Platform<Omniadmin>;
    type Path = ();
    type Query = WantedAnywhere;
    type Body = NoBody;
    type Reply = Paged<AuditEntryResponse>;

    const METHOD: Method = Method::Get;
    const PATH: &'static str = "/internal/admin/audit";
    const SECTION: &'static str = SECTION;
    const SUMMARY: &'static str = "List the audit trails of all apps and of the platform";
    const DETAILS: &'static str = "With sign-ins, accounts and everything else that is done above apps, and with the trails of \
        apps that are gone.";

    fn example() -> Example {
        Example::plain()
    }

    async fn handle(ctx: Ctx<Self>, call: Call<(), WantedAnywhere, NoBody>) -> Result<Self::Reply, ApiError> {
        let WantedAnywhere { app_id, page, per_page, actor_id, action, outcome, since, until } = call.query;
        let wanted = Wanted { page, per_page, actor_id, action, outcome, since, until };
        let page = Paging { page, per_page }.of_long_list()?;
        let app = app_id.map(AppId::new);
        shown(&ctx.state.accounts.audit(&ctx.granted.grant, app, &wanted.filter()?, page).await?)
    }
}
