use bytes::Bytes;
use futures::Stream;
use omni_domain::AgentId;
use omni_http::{
    Answer, ApiError, Call, Ctx, Endpoint, EventStream, Example, InApp, Method, NoQuery, Reply, Via, Visit,
};
use omni_rbac::Viewer;
use omni_turns::{Reader, Turn};
use omni_wire::{ChatResponse, CitationResponse, TokenUsage};
use serde_json::json;
use utoipa::openapi::schema::Schema;
use utoipa::openapi::{RefOr, Response};

use super::Agents;
use super::chat_body::ChatBody;
use crate::WorkspaceApi;
use crate::resource::Resource;

/// Says something to an agent. The answer is a stream of events, or with `Accept: application/json` one JSON body.
pub(crate) enum Chat {}

impl Endpoint for Chat {
    type Plane = WorkspaceApi;
    type Access = InApp<Via<AgentId>, Viewer>;
    type Path = AgentId;
    type Query = NoQuery;
    type Body = ChatBody;
    type Reply = ChatReply;

    const METHOD: Method = Method::Post;
    const PATH: &'static str = "/internal/agents/{agent_id}/chat";
    const SECTION: &'static str = Agents::SECTION;
    const SUMMARY: &'static str = "Execute agent chat";
    const DETAILS: &'static str = "The stream's events are flat: `metadata`, then `token` (and `thinking`) as they come, \
        `usage`, and last `done` or `error`. Each has an `id:`. Losing the connection loses nothing: the turn goes on, is \
        stored, and can be read again from any event. With `Accept: application/json` the same turn answers as one body.";

    fn example() -> Example {
        Example::body(json!({ "message": "How do I reset my password?" }))
    }

    async fn handle(ctx: Ctx<Self>, call: Call<AgentId, NoQuery, ChatBody>) -> Result<ChatReply, ApiError> {
        let turn = ctx.state.turns.begin(&ctx.granted.grant, call.body.into_ask(call.path)).await?;
        if !ctx.visit.prefers("application/json") {
            let attended = ctx.state.turns.attend(&ctx.granted.session, &ctx.granted.grant);
            return Ok(ChatReply::Stream(EventStream::new(attended.while_it_lasts(frames(turn.reader(0))))));
        }
        whole(&turn).await.map(ChatReply::Whole)
    }
}

/// The frames of a turn as they come.
pub(crate) fn frames(reader: Reader) -> impl Stream<Item = Bytes> {
    futures::stream::unfold(reader, |mut reader| async move {
        let frames = reader.next().await?;
        Some((frames, reader))
    })
}

/// Waits for the whole answer; a turn that fails is an error of HTTP, for nothing has been sent yet.
async fn whole(turn: &Turn) -> Result<ChatResponse, ApiError> {
    let done = turn.done().await.map_err(|error| ApiError::shared(&error))?;
    Ok(ChatResponse {
        response: done.response.clone(),
        conversation_id: done.conversation_id,
        agent_id: done.agent_id,
        agent_name: turn.metadata().agent_name.clone(),
        turn_id: done.turn_id,
        message_id: done.message_id,
        finish_reason: done.finish_reason.to_owned(),
        usage: done.usage.map(|usage| TokenUsage {
            input_tokens: usage.input_tokens,
            output_tokens: usage.output_tokens,
            estimated: usage.estimated,
        }),
        citations: done.citations.iter().map(CitationResponse::from).collect(),
    })
}

/// A turn, as the caller wants to read it.
pub(crate) enum ChatReply {
    Stream(EventStream),
    Whole(ChatResponse),
}

impl Reply for ChatReply {
    const STATUS: u16 = 200;

    fn respond(self, visit: &Visit) -> Result<actix_web::HttpResponse, ApiError> {
        match self {
            Self::Stream(stream) => stream.respond(visit),
            Self::Whole(response) => Answer(response).respond(visit),
        }
    }

    fn describe(schemas: &mut Vec<(String, RefOr<Schema>)>) -> Response {
        let mut streamed = EventStream::describe(schemas);
        streamed.content.extend(Answer::<ChatResponse>::describe(schemas).content);
        streamed
    }
}
