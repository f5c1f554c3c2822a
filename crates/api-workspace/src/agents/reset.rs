use actix_web::web::Payload;
use omni_domain::AgentId;
use omni_http::{Answer, ApiError, Call, Ctx, Endpoint, Example, FromBody, InApp, Json, Method, NoQuery, Via, Visit};
use omni_rbac::Viewer;
use omni_wire::{ResetRequest, ResetResponse};
use serde_json::json;
use utoipa::openapi::RefOr;
use utoipa::openapi::request_body::RequestBody;
use utoipa::openapi::schema::Schema;

use super::Agents;
use crate::WorkspaceApi;
use crate::resource::Resource;

/// Empties the caller's conversation with an agent: the one that a chat would go on with, or the one that is named.
pub(crate) enum Reset {}

impl Endpoint for Reset {
    type Plane = WorkspaceApi;
    type Access = InApp<Via<AgentId>, Viewer>;
    type Path = AgentId;
    type Query = NoQuery;
    type Body = ResetBody;
    type Reply = Answer<ResetResponse>;

    const METHOD: Method = Method::Post;
    const PATH: &'static str = "/internal/agents/{agent_id}/reset";
    const SECTION: &'static str = Agents::SECTION;
    const SUMMARY: &'static str = "Reset conversation";

    fn example() -> Example {
        Example::body(json!({}))
    }

    async fn handle(ctx: Ctx<Self>, call: Call<AgentId, NoQuery, ResetBody>) -> Result<Self::Reply, ApiError> {
        let ResetBody(request) = call.body;
        let grant = &ctx.granted.grant;
        let emptied = ctx.state.workspace.reset_conversation(grant, call.path, request.conversation_id).await?;
        if let Some(conversation) = emptied {
            ctx.state.turns.cancel_conversation(conversation);
        }
        let message = if emptied.is_some() { "Conversation reset" } else { "There was no conversation to reset" };
        Ok(Answer(ResetResponse { success: true, message: message.to_owned(), conversation_id: emptied }))
    }
}

/// A JSON body that may be left out altogether: clients of earlier systems send none.
pub(crate) struct ResetBody(ResetRequest);

impl FromBody for ResetBody {
    async fn from_body(visit: &Visit, payload: Payload) -> Result<Self, ApiError> {
        let is_empty = matches!(visit.header("content-length"), None | Some("0"))
            && !visit.headers().contains_key("transfer-encoding");
        if is_empty {
            return Ok(Self(ResetRequest::default()));
        }
        let Json(request) = Json::<ResetRequest>::from_body(visit, payload).await?;
        Ok(Self(request))
    }

    fn describe(schemas: &mut Vec<(String, RefOr<Schema>)>) -> Option<RequestBody> {
        let mut body = Json::<ResetRequest>::describe(schemas)?;
        body.required = Some(utoipa::openapi::Required::False);
        Some(body)
    }
}
