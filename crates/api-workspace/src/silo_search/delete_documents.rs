use omni_domain::{Invalid, SiloId};
use omni_http::{Answer, ApiError, Call, Ctx, Endpoint, Example, InApp, Json, Method, NoQuery, Via};
use omni_persistence::Going;
use omni_rbac::Editor;
use omni_wire::{DocumentCountResponse, DocumentsRequest};
use serde_json::json;

use super::{SECTION, filter};
use crate::WorkspaceApi;

/// Removes documents of a silo: those named, or those that pass a filter.
pub(crate) enum DeleteDocuments {}

impl Endpoint for DeleteDocuments {
    type Plane = WorkspaceApi;
    type Access = InApp<Via<SiloId>, Editor>;
    type Path = SiloId;
    type Query = NoQuery;
    type Body = Json<DocumentsRequest>;
    type Reply = Answer<DocumentCountResponse>;

    const METHOD: Method = Method::Delete;
    const PATH: &'static str = "/internal/silos/{silo_id}/documents";
    const SECTION: &'static str = SECTION;
    const SUMMARY: &'static str = "Delete documents of a silo";
    const DETAILS: &'static str = "Takes either `document_ids` or `filter_metadata`; nothing at all removes nothing. Answers how \
        many there were.";

    fn example() -> Example {
        Example::body(json!({ "document_ids": [987_654_321] }))
    }

    async fn handle(ctx: Ctx<Self>, call: Call<SiloId, NoQuery, Self::Body>) -> Result<Self::Reply, ApiError> {
        let Json(request) = call.body;
        let filter = filter(request.filter_metadata.as_ref())?;
        let going = match (&filter, &request.document_ids) {
            (Some(filter), None) => Going::Passing(filter),
            (None, Some(documents)) => Going::Named(documents),
            _ => return Err(Invalid::new("document_ids", "give either these or filter_metadata").into()),
        };
        let gone = ctx.state.knowledge.delete_documents(&ctx.granted.grant, call.path, going).await?;
        Ok(Answer(DocumentCountResponse { count: u64::try_from(gone).unwrap_or(u64::MAX) }))
    }
}
