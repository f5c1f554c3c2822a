//! Models at a provider: a chat is one HTTP request whose body is read as it arrives; vectors and rankings are exchanges
//! of whole documents.

mod answer;
mod batches;
mod body;
mod call;
mod complaint;
mod embedding;
mod exchange;
mod frames;
mod patience;
mod redact;
mod rerank;
mod retries;
mod vectors;

pub(crate) use call::{Remote, RemoteModel};
pub(crate) use complaint::Complaint;
pub(crate) use embedding::{Embedder, RemoteEmbedding};
pub(crate) use exchange::Exchange;
pub(crate) use frames::Framing;
pub(crate) use rerank::{RemoteReranker, Reranker};
