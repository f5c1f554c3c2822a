use omni_http::{ApiError, ByQuery, Call, Ctx, Endpoint, Example, InApp, Listed, Method, NoBody, Paging};
use omni_rbac::Viewer;
use omni_wire::ApiKeyResponse;

use super::{COLLECTION, SECTION};
use crate::WorkspaceApi;

/// Lists an app's API keys, masked.
pub(crate) enum List {}

impl Endpoint for List {
    type Plane = WorkspaceApi;
    type Access = InApp<ByQuery, Viewer>;
    type Path = ();
    type Query = Paging;
    type Body = NoBody;
    type Reply = Listed<ApiKeyResponse>;

    const METHOD: Method = Method::Get;
    const PATH: &'static str = COLLECTION;
    const SECTION: &'static str = SECTION;
    const SUMMARY: &'static str = "List API keys for app";

    fn example() -> Example {
        Example::plain()
    }

    async fn handle(ctx: Ctx<Self>, call: Call<(), Paging, NoBody>) -> Result<Self::Reply, ApiError> {
        let page = call.query.of_short_list()?;
        Ok(Listed(ctx.state.workspace.list_api_keys(&ctx.granted.grant, page).await?.map(ApiKeyResponse::from)))
    }
}
