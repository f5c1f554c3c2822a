use omni_domain::RepositoryId;
use omni_http::{Answer, ApiError, Call, Ctx, Endpoint, Example, InApp, Json, Method, NoQuery, Via};
use omni_persistence::FilePatch;
use omni_rbac::Editor;
use omni_wire::{FileResponse, UpdateFileRequest};
use serde_json::json;

use super::{FilePath, SECTION};
use crate::WorkspaceApi;

/// Renames a file, moves it to another folder of its repository, or says what is known of it.
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
    const DETAILS: &'static str = "`metadata` takes the place of what it was. In a silo in Qdrant the file is taken in once more \
        for it, which answers 409 while it is being taken in.";

    fn example() -> Example {
        Example::body(json!({ "name": "Handbook 2026.pdf", "folder_id": null, "metadata": { "year": 2026 } }))
    }

    async fn handle(ctx: Ctx<Self>, call: Call<FilePath, NoQuery, Self::Body>) -> Result<Self::Reply, ApiError> {
        let FilePath { repository, file } = call.path;
        let Json(UpdateFileRequest { name, folder_id, metadata }) = call.body;
        let change = FilePatch { name, folder: folder_id, metadata };
        let changed = ctx.state.knowledge.update_file(&ctx.granted.grant, repository, file, change).await?;
        Ok(Answer(changed.into()))
    }
}
