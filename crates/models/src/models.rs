use std::sync::Arc;

use omni_domain::Entropy;
use omni_egress::Egress;
use reqwest::header::HeaderMap;
use secrecy::SecretString;
use url::Url;

use crate::chance::Chance;
use crate::chat::ChatModel;
use crate::deadlines::Deadlines;
use crate::embedding::{EmbeddingModel, EmbeddingTarget};
use crate::error::ModelError;
use crate::local::{LocalEmbedding, LocalModel};
use crate::remote::{Embedder, Exchange, Remote, RemoteEmbedding, RemoteModel, RemoteReranker, Reranker};
use crate::rerank::{RerankModel, RerankTarget};
use crate::target::ModelTarget;
use crate::wire::embedding::{EmbeddingLine, embedding_line_to};
use crate::wire::line_to;
use crate::wire::rerank::{RerankLine, rerank_line_to};

/// The most bytes of text in an answer, reasoning included, unless told otherwise.
const LONGEST_ANSWER: usize = 1024 * 1024;

/// All models, at whatever provider. Made once; clones share their connections.
#[derive(Debug, Clone)]
pub struct Models {
    egress: Egress,
    deadlines: Deadlines,
    longest_answer: usize,
    chance: Chance,
}

impl Models {
    /// Models that are talked to through `egress`, within these deadlines, with answers of at most 1 MiB of text.
    #[must_use]
    pub fn new(egress: Egress, deadlines: Deadlines) -> Self {
        Self { egress, deadlines, longest_answer: LONGEST_ANSWER, chance: Chance::default() }
    }

    /// The same with randomness, for the length of pauses before a provider is asked for vectors or rankings again. Without
    /// it, each pause is as long as it may be, and callers that were refused together come back together.
    #[must_use]
    pub fn with_entropy(self, entropy: Arc<dyn Entropy>) -> Self {
        Self { chance: Chance::of(entropy), ..self }
    }

    /// The same with answers of at most so many bytes of text, reasoning included.
    #[must_use]
    pub fn with_longest_answer(self, bytes: usize) -> Self {
        Self { longest_answer: bytes, ..self }
    }

    /// Whether a target could be talked to, as far as that can be told without asking anybody: what it needs is there, and
    /// its address may be requested.
    ///
    /// # Errors
    /// The [`ModelError`] that [`Models::chat`] or the first question would give; [`ModelError::field`] says what to
    /// change.
    pub fn check(&self, target: &ModelTarget) -> Result<(), ModelError> {
        line_to(target)?.map_or(Ok(()), |line| self.check_address(&line.url))
    }

    /// The same for an embedding model.
    ///
    /// # Errors
    /// The [`ModelError`] that [`Models::embedding`] or the first call would give; [`ModelError::field`] says what to change.
    pub fn check_embedding(&self, target: &EmbeddingTarget) -> Result<(), ModelError> {
        match embedding_line_to(target)? {
            Some(line) => self.check_address(&line.url),
            None => LocalEmbedding::of(target).map(drop),
        }
    }

    /// The same for a reranker.
    ///
    /// # Errors
    /// The [`ModelError`] that [`Models::rerank`] or the first call would give; [`ModelError::field`] says what to change.
    pub fn check_rerank(&self, target: &RerankTarget) -> Result<(), ModelError> {
        self.check_address(&rerank_line_to(target)?.url)
    }

    fn check_address(&self, url: &Url) -> Result<(), ModelError> {
        let host = url.host_str().unwrap_or_default();
        self.egress.check(url).map_err(|error| ModelError::of_sending(error, host))
    }

    /// The model at a target. This only prepares: nobody is asked until the model is.
    ///
    /// # Errors
    /// What is wrong with the target itself: [`ModelError::BaseUrl`], [`ModelError::Missing`] and
    /// [`ModelError::KeyUnusable`].
    pub fn chat(&self, target: ModelTarget) -> Result<Arc<dyn ChatModel>, ModelError> {
        let Some(line) = line_to(&target)? else { return Ok(Arc::new(LocalModel)) };
        Ok(Arc::new(RemoteModel(Arc::new(Remote {
            egress: self.egress.clone(),
            deadlines: self.deadlines,
            longest_answer: self.longest_answer,
            line,
            model: target.model,
            key: target.api_key,
        }))))
    }

    /// The embedding model at a target. This only prepares: nobody is asked until the model is.
    ///
    /// # Errors
    /// What is wrong with the target itself: [`ModelError::NoEmbeddings`], [`ModelError::DimensionsUnusable`],
    /// [`ModelError::BaseUrl`], [`ModelError::Missing`] and [`ModelError::KeyUnusable`].
    pub fn embedding(&self, target: EmbeddingTarget) -> Result<Arc<dyn EmbeddingModel>, ModelError> {
        let Some(line) = embedding_line_to(&target)? else { return Ok(Arc::new(LocalEmbedding::of(&target)?)) };
        let EmbeddingLine { url, headers, wire, most } = line;
        Ok(Arc::new(RemoteEmbedding(Arc::new(Embedder {
            id: target.id(),
            exchange: self.exchange(url, headers, target.model.model, target.model.api_key),
            wire,
            most,
            dimensions: target.dimensions,
            chance: self.chance.clone(),
        }))))
    }

    /// The reranker at a target. This only prepares: nobody is asked until the reranker is.
    ///
    /// # Errors
    /// What is wrong with the target itself: [`ModelError::RerankerUnnamed`], [`ModelError::BaseUrl`] and
    /// [`ModelError::KeyUnusable`].
    pub fn rerank(&self, target: RerankTarget) -> Result<Arc<dyn RerankModel>, ModelError> {
        let RerankLine { url, headers, wire } = rerank_line_to(&target)?;
        let exchange = self.exchange(url, headers, target.model, target.api_key);
        Ok(Arc::new(RemoteReranker(Arc::new(Reranker { exchange, wire, chance: self.chance.clone() }))))
    }

    fn exchange(&self, url: Url, headers: HeaderMap, model: String, key: Option<SecretString>) -> Exchange {
        Exchange { egress: self.egress.clone(), deadlines: self.deadlines, url, headers, model, key }
    }
}
