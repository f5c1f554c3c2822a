use omni_domain::RepositoryId;
use omni_http::{ApiError, ByQueried, Call, Ctx, Endpoint, Example, InApp, Listed, Method, NoBody, Paging};
use omni_rbac::Viewer;
use omni_wire::FolderResponse;
use serde::Deserialize;
use utoipa::IntoParams;

use super::SECTION;
use crate::WorkspaceApi;

/// Lists the folders of a repository, at whatever depth, oldest first.
pub(crate) enum ListFolders {}

/// Which folders are wanted.
#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
pub(crate) struct Wanted {
    /// The repository.
    #[param(value_type = i64)]
    repository_id: RepositoryId,
    /// The number of the page, from 1.
    #[serde(default)]
    #[param(minimum = 1)]
    page: Option<u32>,
    /// How many items a page has.
    #[serde(default)]
    #[param(minimum = 1, maximum = 100)]
    per_page: Option<u32>,
}

impl Endpoint for ListFolders {
    type Plane = WorkspaceApi;
    type Access = InApp<ByQueried<RepositoryId>, Viewer>;
    type Path = ();
    type Query = Wanted;
    type Body = NoBody;
    type Reply = Listed<FolderResponse>;

    const METHOD: Method = Method::Get;
    const PATH: &'static str = "/internal/folders";
    const SECTION: &'static str = SECTION;
    const SUMMARY: &'static str = "List folders in repository";

    fn example() -> Example {
        Example::plain()
    }

    async fn handle(ctx: Ctx<Self>, call: Call<(), Wanted, NoBody>) -> Result<Self::Reply, ApiError> {
        let Wanted { repository_id, page, per_page } = call.query;
        let page = Paging { page, per_page }.of_short_list()?;
        let found = ctx.state.workspace.list_folders(&ctx.granted.grant, repository_id, page).await?;
        Ok(Listed(found.map(FolderResponse::from)))
    }
}
