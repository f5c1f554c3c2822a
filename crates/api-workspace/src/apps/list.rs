use omni_http::{ApiError, Call, Ctx, Endpoint, Example, Listed, Method, NoBody, Paging, SignedIn};
use omni_wire::AppResponse;
use serde_json::json;

use super::{COLLECTION, SECTION};
use crate::WorkspaceApi;

/// Lists the apps that the caller owns or belongs to, newest first.
pub(crate) enum List {}

impl Endpoint for List {
    type Plane = WorkspaceApi;
    type Access = SignedIn;
    type Path = ();
    type Query = Paging;
    type Body = NoBody;
    type Reply = Listed<AppResponse>;

    const METHOD: Method = Method::Get;
    const PATH: &'static str = COLLECTION;
    const SECTION: &'static str = SECTION;
    const SUMMARY: &'static str = "List user's apps";

    fn example() -> Example {
        Example::plain().answers(json!([{
            "app_id": 1,
            "name": "My Workspace",
            "slug": "my-workspace",
            "owner_id": 123,
            "create_date": "2024-01-15T10:30:00Z",
        }]))
    }

    async fn handle(ctx: Ctx<Self>, call: Call<(), Paging, NoBody>) -> Result<Self::Reply, ApiError> {
        let page = call.query.of_short_list()?;
        Ok(Listed(ctx.state.workspace.list_apps(&ctx.granted, page).await?.map(AppResponse::from)))
    }
}
