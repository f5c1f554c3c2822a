//! The models that are built in. The one to chat with says openly that no AI model is connected, and quotes what the
//! conversation and the passages hold about the question. The one for vectors hashes the words and letters of a text. The same
//! request always gets the same answer.

mod embedding;
mod features;
mod rank;
mod recall;
mod reply;
mod sentences;
mod terms;

use futures::future::BoxFuture;
use futures::stream;

use crate::chat::{ChatModel, ChatRequest, ChatStream, FinishReason, ModelEvent, Usage};
use crate::error::ModelError;

pub(crate) use embedding::LocalEmbedding;

/// A model without weights.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LocalModel;

impl ChatModel for LocalModel {
    fn may_see(&self) -> bool {
        false
    }

    fn stream(&self, request: ChatRequest) -> BoxFuture<'static, Result<ChatStream, ModelError>> {
        Box::pin(async move { Ok(ChatStream::new(stream::iter(answer(&request).into_iter().map(Ok)))) })
    }
}

/// The whole answer, a word to a token.
fn answer(request: &ChatRequest) -> Vec<ModelEvent> {
    let text = reply::reply_to(request);
    let usage = Usage::estimate_request(request).with_answer(&text);
    let words = text.split_inclusive(char::is_whitespace).map(|word| ModelEvent::Token(word.to_owned()));
    let end = [ModelEvent::Usage(usage), ModelEvent::End { finish_reason: FinishReason::Stop }];
    words.chain(end).collect()
}
