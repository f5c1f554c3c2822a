use futures::future::BoxFuture;
use tokio::task::yield_now;

use super::features::{DIMENSIONS, vector_of};
use crate::embedding::{EmbeddingModel, EmbeddingTarget, EmbeddingUsage, Embeddings, Purpose, check_texts};
use crate::error::ModelError;

/// Whatever changes a vector changes this name: stored vectors cannot be compared with those of another version.
const NAME: &str = "hash-v1-384";
const ID: &str = "local/hash-v1-384";
/// How many bytes of text are hashed before other tasks have their turn.
const BYTES_AT_ONCE: usize = 16 * 1024;

/// An embedding model without weights: texts are near to each other if they share words, parts of words, and pairs of
/// words. It knows nothing of synonyms.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LocalEmbedding;

impl LocalEmbedding {
    /// The model, if the target means this version of it.
    pub(crate) fn of(target: &EmbeddingTarget) -> Result<Self, ModelError> {
        let model = target.model.model.trim();
        if !model.is_empty() && model != NAME {
            let what = "no name of a model, or hash-v1-384";
            return Err(ModelError::Missing { provider: target.model.provider, field: "model", what });
        }
        match target.dimensions {
            Some(asked) if usize::try_from(asked) != Ok(DIMENSIONS) => Err(ModelError::DimensionsUnusable {
                model: NAME.to_owned(),
                asked,
                advice: format!("its vectors have {DIMENSIONS}; enter that number, or none"),
            }),
            _ => Ok(Self),
        }
    }
}

impl EmbeddingModel for LocalEmbedding {
    fn id(&self) -> &str {
        ID
    }

    fn embed(&self, texts: Vec<String>, _: Purpose) -> BoxFuture<'static, Result<Embeddings, ModelError>> {
        Box::pin(async move {
            check_texts(&texts)?;
            let mut vectors = Vec::with_capacity(texts.len());
            let mut bytes: usize = 0;
            for text in &texts {
                vectors.push(vector_of(text));
                bytes = bytes.saturating_add(text.len());
                if bytes >= BYTES_AT_ONCE {
                    bytes = 0;
                    yield_now().await;
                }
            }
            Ok(Embeddings::new(vectors, EmbeddingUsage::estimate(&texts)))
        })
    }
}
