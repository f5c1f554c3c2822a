use omni_domain::RepositoryId;
use omni_http::{Answer, ApiError, Call, Ctx, Endpoint, Example, InApp, Method, NoBody, NoQuery, Via};
use omni_rbac::Editor;
use omni_wire::FileResponse;

use super::{FilePath, SECTION};
use crate::WorkspaceApi;

/// Stops the processing of a file.
pub(crate) enum Cancel {}

impl Endpoint for Cancel {
    type Plane = WorkspaceApi;
    type Access = InApp<Via<RepositoryId>, Editor>;
    type Path = FilePath;
    type Query = NoQuery;
    type Body = NoBody;
    type Reply = Answer<FileResponse>;

    const METHOD: Method = Method::Post;
    const PATH: &'static str = "/internal/repositories/{repo_id}/files/{file_id}/cancel";
    const SECTION: &'static str = SECTION;
    const SUMMARY: &'static str = "Stop processing file";
    const DETAILS: &'static str =
        "A file that waits is `cancelled` at once; one that is being processed, a moment later.";

    fn example() -> Example {
        Example::plain()
    }

    async fn handle(ctx: Ctx<Self>, call: Call<FilePath, NoQuery, NoBody>) -> Result<Self::Reply, ApiError> {
        let FilePath { repository, file } = call.path;
        Ok(Answer(ctx.state.knowledge.cancel_file(&ctx.granted.grant, repository, file).await?.into()))
    }
}
