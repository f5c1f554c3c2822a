use std::fmt;

use futures::future::BoxFuture;
use secrecy::SecretString;
use url::Url;

use crate::error::ModelError;

/// The most passages of one call.
const MOST_PASSAGES: usize = 1_000;
/// The most bytes of the question and of all passages together.
const MOST_BYTES: usize = 4 * 1024 * 1024;

/// A model that reads a question beside each passage, and says how well the passage answers it. It is slower than comparing
/// vectors and knows more: it puts what they found in order.
pub trait RerankModel: fmt::Debug + Send + Sync {
    /// The `top` passages that answer `query` best, the best first.
    ///
    /// What may pass by itself is asked again, as for [`EmbeddingModel::embed`](crate::EmbeddingModel::embed). Dropping the
    /// future ends the call at once.
    ///
    /// # Errors
    /// [`ModelError::NothingToRank`] and [`ModelError::TooMuch`] before anybody is asked: a call may bring 1000 passages, and
    /// 4 MiB with the question. Else what the provider said last.
    fn rerank(
        &self,
        query: String,
        passages: Vec<String>,
        top: usize,
    ) -> BoxFuture<'static, Result<Vec<Ranked>, ModelError>>;
}

/// A passage in its place.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ranked {
    /// Which of the passages it is, counted from 0.
    pub index: usize,
    /// How well it answers. Only scores of one model can be compared; most give from 0 to 1, some give logits.
    pub score: f32,
}

/// A server that ranks by `POST …/rerank`, the format of Cohere, Jina, Voyage and of the servers that speak as they do
/// (vLLM, LiteLLM, llama.cpp, Infinity).
#[derive(Debug, Clone)]
pub struct RerankTarget {
    /// The model's name, sent as it is.
    pub model: String,
    /// Where `rerank` is, such as `https://api.cohere.com/v2/` or `https://api.jina.ai/v1/`; made by
    /// [`parse_base_url`](crate::parse_base_url).
    pub base_url: Url,
    /// The key. Servers that ask for none get none.
    pub api_key: Option<SecretString>,
}

/// Whether a question may be asked.
pub(crate) fn check_question(query: &str, passages: &[String], top: usize) -> Result<(), ModelError> {
    let empty = |text: &str| text.trim().is_empty();
    if empty(query) || top == 0 || passages.is_empty() || passages.iter().any(|passage| empty(passage)) {
        return Err(ModelError::NothingToRank);
    }
    if passages.len() > MOST_PASSAGES {
        return Err(ModelError::TooMuch { what: "passages", limit: MOST_PASSAGES });
    }
    if passages.iter().map(String::len).fold(query.len(), usize::saturating_add) > MOST_BYTES {
        return Err(ModelError::TooMuch { what: "bytes of text", limit: MOST_BYTES });
    }
    Ok(())
}
