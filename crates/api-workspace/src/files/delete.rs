use omni_domain::RepositoryId;
use omni_http::{ApiError, Call, Ctx, Deleted, Endpoint, Example, InApp, Method, NoBody, NoQuery, Via};
use omni_rbac::Editor;

use super::{FilePath, SECTION};
use crate::WorkspaceApi;

/// Removes a file and all that is known of it.
pub(crate) enum Delete {}

impl Endpoint for Delete {
    type Plane = WorkspaceApi;
    type Access = InApp<Via<RepositoryId>, Editor>;
    type Path = FilePath;
    type Query = NoQuery;
    type Body = NoBody;
    type Reply = Deleted;

    const METHOD: Method = Method::Delete;
    const PATH: &'static str = "/internal/repositories/{repo_id}/files/{file_id}";
    const SECTION: &'static str = SECTION;
    const SUMMARY: &'static str = "Delete file";

    fn example() -> Example {
        Example::plain()
    }

    async fn handle(ctx: Ctx<Self>, call: Call<FilePath, NoQuery, NoBody>) -> Result<Deleted, ApiError> {
        let FilePath { repository, file } = call.path;
        ctx.state.knowledge.delete_file(&ctx.granted.grant, repository, file).await?;
        Ok(Deleted("File deleted".to_owned()))
    }
}
