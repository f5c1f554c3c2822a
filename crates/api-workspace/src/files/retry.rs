use omni_domain::RepositoryId;
use omni_http::{Accepted, ApiError, Call, Ctx, Endpoint, Example, InApp, Method, NoBody, NoQuery, Via};
use omni_rbac::Editor;
use omni_wire::FileResponse;

use super::{FilePath, SECTION};
use crate::WorkspaceApi;

/// Takes a file in once more.
pub(crate) enum Retry {}

impl Endpoint for Retry {
    type Plane = WorkspaceApi;
    type Access = InApp<Via<RepositoryId>, Editor>;
    type Path = FilePath;
    type Query = NoQuery;
    type Body = NoBody;
    type Reply = Accepted<FileResponse>;

    const METHOD: Method = Method::Post;
    const PATH: &'static str = "/internal/repositories/{repo_id}/files/{file_id}/retry";
    const SECTION: &'static str = SECTION;
    const SUMMARY: &'static str = "Process file again";

    fn example() -> Example {
        Example::plain()
    }

    async fn handle(ctx: Ctx<Self>, call: Call<FilePath, NoQuery, NoBody>) -> Result<Self::Reply, ApiError> {
        let FilePath { repository, file } = call.path;
        Ok(Accepted(ctx.state.knowledge.retry_file(&ctx.granted.grant, repository, file).await?.into()))
    }
}
