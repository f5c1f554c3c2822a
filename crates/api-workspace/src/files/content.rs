use futures::{StreamExt, TryStreamExt};
use omni_domain::RepositoryId;
use omni_http::{ApiError, Call, Ctx, Download, Endpoint, Example, InApp, Method, NoBody, NoQuery, Via, Wanted};
use omni_rbac::Viewer;

use super::{FilePath, SECTION};
use crate::WorkspaceApi;

/// Gives a file back as it was uploaded, whole or in part.
pub(crate) enum Content {}

impl Endpoint for Content {
    type Plane = WorkspaceApi;
    type Access = InApp<Via<RepositoryId>, Viewer>;
    type Path = FilePath;
    type Query = NoQuery;
    type Body = NoBody;
    type Reply = Download;

    const METHOD: Method = Method::Get;
    const PATH: &'static str = "/internal/repositories/{repo_id}/files/{file_id}/content";
    const SECTION: &'static str = SECTION;
    const SUMMARY: &'static str = "Download file";
    const DETAILS: &'static str = "`Range` asks for a part of it.";

    fn example() -> Example {
        Example::plain()
    }

    async fn handle(ctx: Ctx<Self>, call: Call<FilePath, NoQuery, NoBody>) -> Result<Download, ApiError> {
        let FilePath { repository, file } = call.path;
        let (file, content) = ctx.state.knowledge.read_file(&ctx.granted.grant, repository, file).await?;
        let tag = content.hash().to_string();
        let bytes = content.bytes();
        let wanted = Wanted::of(&ctx.visit, &tag, bytes);
        let content = match wanted.clone() {
            Wanted::Part(range) => content.range(range)?,
            Wanted::Whole | Wanted::Nothing => content,
        };
        let content = content.into_stream().map_err(ApiError::from).boxed_local();
        Ok(Download { name: file.name, media_type: file.media_type, tag, bytes, wanted, content })
    }
}
