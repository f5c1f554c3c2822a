use omni_domain::AppId;
use omni_http::{Answer, ApiError, ByPath, Call, Ctx, Endpoint, Example, InApp, Method, NoBody, NoQuery};
use omni_rbac::Viewer;
use omni_wire::UsageResponse;

use super::SECTION;
use crate::WorkspaceApi;

/// Shows what an app's agents used: the running minute against the app's limit, and the last thirty days.
pub(crate) enum Usage {}

impl Endpoint for Usage {
    type Plane = WorkspaceApi;
    type Access = InApp<ByPath, Viewer>;
    type Path = AppId;
    type Query = NoQuery;
    type Body = NoBody;
    type Reply = Answer<UsageResponse>;

    const METHOD: Method = Method::Get;
    const PATH: &'static str = "/internal/apps/{app_id}/usage";
    const SECTION: &'static str = SECTION;
    const SUMMARY: &'static str = "Get app usage stats";

    fn example() -> Example {
        Example::plain()
    }

    async fn handle(ctx: Ctx<Self>, _call: Call<AppId, NoQuery, NoBody>) -> Result<Self::Reply, ApiError> {
        let report = ctx.state.workspace.usage(&ctx.granted.grant).await?;
        Ok(Answer(UsageResponse::new(&report.overview, report.window, report.days)))
    }
}
