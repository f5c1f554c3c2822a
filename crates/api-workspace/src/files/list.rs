use omni_domain::{DocumentStatus, FolderId, RepositoryId};
use omni_http::{ApiError, Call, Ctx, Endpoint, Example, InApp, Method, NoBody, Paged, Paging, Via};
use omni_persistence::FileFilter;
use omni_rbac::Viewer;
use omni_wire::FileResponse;
use serde::Deserialize;
use utoipa::IntoParams;

use super::SECTION;
use crate::WorkspaceApi;

/// Lists a repository's files, the latest first.
pub(crate) enum List {}

/// Which files are wanted.
#[derive(Debug, Clone, Deserialize, IntoParams)]
pub(crate) struct Wanted {
    /// The number of the page, from 1.
    #[serde(default)]
    page: Option<u32>,
    /// How many items a page has.
    #[serde(default)]
    per_page: Option<u32>,
    /// Only those in this folder; `null` for those in none.
    #[serde(default)]
    folder_id: Option<String>,
    /// Only those that are `processing`, `ready`, `failed` or `cancelled`.
    #[serde(default)]
    status: Option<String>,
    /// Only those whose name has this in it.
    #[serde(default)]
    name: Option<String>,
}

impl Wanted {
    fn filter(&self) -> Result<FileFilter, ApiError> {
        let folder = match self.folder_id.as_deref().map(str::trim) {
            None | Some("") => None,
            Some("null") => Some(None),
            Some(id) => {
                let id: FolderId =
                    id.parse().map_err(|_| ApiError::invalid("folder_id", "must be a number or `null`"))?;
                Some(Some(id))
            }
        };
        let status = self.status.as_deref().filter(|status| !status.is_empty());
        let status =
            status.map(|status| status.parse::<DocumentStatus>().map_err(|no| ApiError::invalid("status", no)));
        let name = self.name.clone().filter(|name| !name.is_empty());
        Ok(FileFilter { folder, status: status.transpose()?, name })
    }
}

impl Endpoint for List {
    type Plane = WorkspaceApi;
    type Access = InApp<Via<RepositoryId>, Viewer>;
    type Path = RepositoryId;
    type Query = Wanted;
    type Body = NoBody;
    type Reply = Paged<FileResponse>;

    const METHOD: Method = Method::Get;
    const PATH: &'static str = "/internal/repositories/{repo_id}/files";
    const SECTION: &'static str = SECTION;
    const SUMMARY: &'static str = "List files of repository";

    fn example() -> Example {
        Example::plain()
    }

    async fn handle(ctx: Ctx<Self>, call: Call<RepositoryId, Wanted, NoBody>) -> Result<Self::Reply, ApiError> {
        let page = Paging { page: call.query.page, per_page: call.query.per_page }.of_long_list()?;
        let (knowledge, grant) = (&ctx.state.knowledge, &ctx.granted.grant);
        let found = knowledge.list_files(grant, call.path, &call.query.filter()?, page).await?;
        Ok(Paged(found.map(FileResponse::from)))
    }
}
