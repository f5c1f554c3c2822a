use omni_domain::RepositoryId;
use omni_http::{Answer, ApiError, Call, Ctx, Endpoint, Example, InApp, Json, Method, NoQuery, Via};
use omni_rbac::Editor;
use omni_wire::{FileResponse, UpdateFileRequest};
use serde_json::json;

use super::{FilePath, SECTION};
use crate::WorkspaceApi;

/// Renames a file, or moves it to another folder of its repository.
pub(crate) enum Update {}

impl Endpoint for Update {
    type Plane = WorkspaceApi;
    type Access = InApp<Via<RepositoryId>, Editor>;
    type Path = FilePath;
    type Query = NoQuery;
    type Body = Json<UpdateFileRequest>;
    type Reply = Answer<FileResponse>;

    const METHOD: Method = Method::Put;
    const PATH: &'static str = "/internal/repositories/{repo_id}/files/{file_id}";
    const SECTION: &'static str = SECTION;
    const SUMMARY: &'static str = "Rename or move file";

    fn example() -> Example {
        Example::body(json!({ "name": "Handbook 2026.pdf", "folder_id": null }))
    }

    async fn handle(ctx: Ctx<Self>, call: Call<FilePath, NoQuery, Self::Body>) -> Result<Self::Reply, ApiError> {
        let FilePath { repository, file } = call.path;
        let Json(UpdateFileRequest { name, folder_id }) = call.body;
        let changed = ctx.state.knowledge.update_file(&ctx.granted.grant, repository, file, name, folder_id).await?;
        Ok(Answer(changed.into()))
    }
}
