use omni_domain::SiloId;
use omni_http::{ApiError, Call, Created, Ctx, Endpoint, Example, InApp, Json, Method, NoQuery, Via};
use omni_knowledge::TextDraft;
use omni_rbac::Editor;
use omni_wire::{IndexTextRequest, IndexedTextResponse};
use serde_json::json;

use super::SECTION;
use crate::WorkspaceApi;

/// Makes a text be found in a silo.
pub(crate) enum Index {}

impl Endpoint for Index {
    type Plane = WorkspaceApi;
    type Access = InApp<Via<SiloId>, Editor>;
    type Path = SiloId;
    type Query = NoQuery;
    type Body = Json<IndexTextRequest>;
    type Reply = Created<IndexedTextResponse>;

    const METHOD: Method = Method::Post;
    const PATH: &'static str = "/internal/silos/{silo_id}/documents";
    const SECTION: &'static str = SECTION;
    const SUMMARY: &'static str = "Index a text in a silo";
    const DETAILS: &'static str = "When this answers, the text can be found. Files go to a repository.";

    fn example() -> Example {
        Example::body(json!({
            "name": "Opening hours",
            "text": "The shop opens at nine.",
            "metadata": { "language": "en" },
        }))
    }

    async fn handle(ctx: Ctx<Self>, call: Call<SiloId, NoQuery, Self::Body>) -> Result<Self::Reply, ApiError> {
        let Json(IndexTextRequest { name, text, url, metadata }) = call.body;
        let draft = TextDraft { name, text, url, metadata: metadata.unwrap_or_default() };
        let (document_id, chunk_count) = ctx.state.knowledge.index_text(&ctx.granted.grant, call.path, draft).await?;
        Ok(Created(IndexedTextResponse { document_id, chunk_count }))
    }
}
