use omni_domain::AppId;
use omni_http::{Answer, ApiError, Call, Ctx, Endpoint, Example, Method, NoBody, Platform};
use omni_rbac::Omniadmin;
use omni_wire::AuditCheckResponse;
use serde::Deserialize;
use utoipa::IntoParams;

use super::SECTION;
use crate::WorkspaceApi;

/// Checks that a trail is what was written: an app's, or the platform's.
pub(crate) enum AdminVerify {}

/// Which trail.
#[derive(Debug, Clone, Deserialize, IntoParams)]
pub(crate) struct Trail {
    /// The app, which may be gone; without it the platform's own.
    #[serde(default)]
    app_id: Option<i64>,
}

impl Endpoint for AdminVerify {
    type Plane = WorkspaceApi;
    type Access = Platform<Omniadmin>;
    type Path = ();
    type Query = Trail;
    type Body = NoBody;
    type Reply = Answer<AuditCheckResponse>;

    const METHOD: Method = Method::Get;
    const PATH: &'static str = "/internal/admin/audit/verification";
    const SECTION: &'static str = SECTION;
    const SUMMARY: &'static str = "Check the audit trail of an app or of the platform";

    fn example() -> Example {
        Example::plain()
    }

    async fn handle(ctx: Ctx<Self>, call: Call<(), Trail, NoBody>) -> Result<Self::Reply, ApiError> {
        let app = call.query.app_id.map(AppId::new);
        Ok(Answer(ctx.state.accounts.check_audit(&ctx.granted.grant, app).await?.into()))
    }
}
