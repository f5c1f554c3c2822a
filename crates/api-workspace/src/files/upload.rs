use omni_domain::RepositoryId;
use omni_http::{ApiError, Call, Created, Ctx, Endpoint, Example, InApp, Method, NoQuery, Via};
use omni_rbac::Editor;
use omni_wire::{ReceivedFile, UploadResponse};

use super::{FileForm, MOST_FILES, SECTION};
use crate::WorkspaceApi;

/// Puts files into a repository.
pub(crate) enum Upload {}

impl Endpoint for Upload {
    type Plane = WorkspaceApi;
    type Access = InApp<Via<RepositoryId>, Editor>;
    type Path = RepositoryId;
    type Query = NoQuery;
    type Body = FileForm;
    type Reply = Created<UploadResponse>;

    const METHOD: Method = Method::Post;
    const PATH: &'static str = "/internal/repositories/{repo_id}/files";
    const SECTION: &'static str = SECTION;
    const SUMMARY: &'static str = "Upload file to repository";
    const DETAILS: &'static str = "Takes several files at once, together of at most four times \
        the bytes that one may have: all of them are stored, or none. They are taken in afterwards: read, cut, embedded and indexed. \
        `metadata` is an object as JSON: what filters go by, the same for all files of the form. `status` is `processing` until then; the file's `events` tell how far that is.";

    fn example() -> Example {
        Example::file("file", "handbook.md", "# Opening hours\n\nWe are open from nine to five.\n")
    }

    async fn handle(ctx: Ctx<Self>, call: Call<RepositoryId, NoQuery, FileForm>) -> Result<Self::Reply, ApiError> {
        let (knowledge, grant) = (&ctx.state.knowledge, &ctx.granted.grant);
        let form = call.body.receive(knowledge, knowledge.upload_limit(&grant.at()).await?, MOST_FILES).await?;
        let folder = form.folder()?;
        let metadata = form.metadata()?;
        let made = knowledge.add_files(grant, call.path, folder, metadata, form.files).await?;
        let mut files: Vec<ReceivedFile> = made.into_iter().map(ReceivedFile::from).collect();
        let first = files.first().cloned().ok_or_else(|| ApiError::invalid("file", "required"))?;
        if files.len() == 1 {
            files.clear();
        }
        Ok(Created(UploadResponse { first, files }))
    }
}
