//! How providers are asked for vectors, one file for each format.

mod gemini;
mod ollama;
mod openai;

use std::fmt;

use reqwest::header::HeaderMap;
use url::Url;

use super::{Unreadable, missing};
use crate::embedding::{EmbeddingTarget, Purpose};
use crate::error::ModelError;
use crate::provider::Provider;
use crate::target::{ModelTarget, above_endpoint, check_base_url};

/// What is known of a target before a text is embedded.
#[derive(Debug)]
pub(crate) struct EmbeddingLine {
    pub(crate) url: Url,
    /// Among them the key, marked as sensitive.
    pub(crate) headers: HeaderMap,
    pub(crate) wire: Box<dyn EmbeddingWire>,
    pub(crate) most: Most,
}

/// What one request may hold. Tokens are estimated and providers count them their own way, so the limits stay well below
/// theirs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Most {
    pub(crate) texts: usize,
    pub(crate) tokens: u64,
}

/// One format of requests for vectors, and of their answers.
pub(crate) trait EmbeddingWire: fmt::Debug + Send + Sync {
    /// The body of a request, as JSON.
    fn body(&self, texts: &[String], purpose: Purpose) -> serde_json::Result<Vec<u8>>;

    /// Reads the whole body of an answer.
    fn read(&self, body: &[u8]) -> Result<Reply, Unreadable>;
}

/// An answer as it came, with nothing checked.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Reply {
    /// Each with the place that the provider says it has; without one, the places are in order.
    pub(crate) vectors: Vec<(Option<usize>, Vec<f32>)>,
    pub(crate) input_tokens: Option<u64>,
}

impl Reply {
    /// Vectors in the order of the texts.
    fn in_order(vectors: Vec<Vec<f32>>, input_tokens: Option<u64>) -> Self {
        Self { vectors: vectors.into_iter().map(|vector| (None, vector)).collect(), input_tokens }
    }
}

/// Everything about asking a target for vectors; `None` for the model that is built in.
pub(crate) fn embedding_line_to(target: &EmbeddingTarget) -> Result<Option<EmbeddingLine>, ModelError> {
    target.check_dimensions()?;
    let EmbeddingTarget { model, dimensions } = target;
    if let Some(url) = &model.base_url {
        check_base_url(url)?;
    }
    if model.provider == Provider::Local {
        return Ok(None);
    }
    if !model.provider.embeds() {
        return Err(ModelError::NoEmbeddings { provider: model.provider });
    }
    if model.model.trim().is_empty() {
        return Err(missing(model, "model", "the name of an embedding model"));
    }
    let model = ModelTarget { base_url: model.base_url.as_ref().map(above_endpoint), ..model.clone() };
    match model.provider {
        Provider::OpenAi => openai::line_to_openai(&model, *dimensions),
        Provider::Azure => openai::line_to_azure(&model, *dimensions),
        Provider::Mistral => openai::line_to_mistral(&model, *dimensions),
        Provider::Google => gemini::line_to(&model, *dimensions),
        Provider::Ollama => ollama::line_to(&model, *dimensions),
        Provider::Anthropic | Provider::Local => return Ok(None),
    }
    .map(Some)
}
