use omni_domain::RepositoryId;
use omni_http::{Answer, ApiError, Call, Ctx, Endpoint, Example, InApp, Method, NoBody, NoQuery, Via};
use omni_rbac::Viewer;
use omni_wire::FileResponse;

use super::{FilePath, SECTION};
use crate::WorkspaceApi;

/// Shows a file.
pub(crate) enum Get {}

impl Endpoint for Get {
    type Plane = WorkspaceApi;
    type Access = InApp<Via<RepositoryId>, Viewer>;
    type Path = FilePath;
    type Query = NoQuery;
    type Body = NoBody;
    type Reply = Answer<FileResponse>;

    const METHOD: Method = Method::Get;
    const PATH: &'static str = "/internal/repositories/{repo_id}/files/{file_id}";
    const SECTION: &'static str = SECTION;
    const SUMMARY: &'static str = "Get file details";

    fn example() -> Example {
        Example::plain()
    }

    async fn handle(ctx: Ctx<Self>, call: Call<FilePath, NoQuery, NoBody>) -> Result<Self::Reply, ApiError> {
        let FilePath { repository, file } = call.path;
        Ok(Answer(ctx.state.knowledge.find_file(&ctx.granted.grant, repository, file).await?.into()))
    }
}
