use std::fmt;

use futures::future::BoxFuture;

use crate::chat::tokens;
use crate::error::ModelError;
use crate::target::ModelTarget;

/// The most texts of one call.
pub(crate) const MOST_TEXTS: usize = 4_096;
/// The most bytes of a text: several times what any model reads of one.
pub(crate) const MOST_TEXT_BYTES: usize = 128 * 1024;
/// The most dimensions that may be asked for, which is also the most that pgvector stores.
const MOST_DIMENSIONS: u32 = 16_000;

/// A model that turns texts into vectors, which are the nearer to each other the more alike the texts are.
pub trait EmbeddingModel: fmt::Debug + Send + Sync {
    /// Which model this is, to be stored with its vectors: vectors of two ids cannot be compared. It holds the provider, the
    /// model's name, and the number of dimensions if one was asked for, such as `openai/text-embedding-3-small@512` or
    /// `local/hash-v1-384`. Two servers that speak one format may serve different models by one name; whose vectors are
    /// whose is known by the service too.
    fn id(&self) -> &str;

    /// The vectors of these texts, in their order. Compare them by cosine: not every provider gives unit vectors.
    ///
    /// One call is as many requests as its provider's limits want, two of them at a time. What may pass by itself (a rate
    /// limit, an overload, a silence) is asked again, a few times and within the deadline of the whole call. Dropping the
    /// future ends the call at once.
    ///
    /// # Errors
    /// [`ModelError::NothingToEmbed`] and [`ModelError::TooMuch`] before anybody is asked: a call may bring 4096 texts of
    /// at most 128 KiB each, none of them blank. Else what the provider said last; then there are no vectors at all.
    fn embed(&self, texts: Vec<String>, purpose: Purpose) -> BoxFuture<'static, Result<Embeddings, ModelError>>;
}

/// What a vector is for. Some models give a question another vector than the text that answers it; the others take no notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To be found.
    Document,
    /// To find documents with.
    Query,
}

/// The vectors of a call's texts.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Embeddings {
    /// One for each text, in the order of the texts. All have the same dimensions, only finite numbers, and not only zeros.
    pub vectors: Vec<Vec<f32>>,
    /// How many numbers a vector has.
    pub dimensions: usize,
    /// What it cost.
    pub usage: EmbeddingUsage,
}

impl Embeddings {
    /// Vectors that keep the rules above.
    #[must_use]
    pub fn new(vectors: Vec<Vec<f32>>, usage: EmbeddingUsage) -> Self {
        let dimensions = vectors.first().map_or(0, Vec::len);
        Self { vectors, dimensions, usage }
    }
}

/// What vectors cost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct EmbeddingUsage {
    /// Tokens of all texts.
    pub input_tokens: u64,
    /// Whether at least a part of it is an estimate, rather than the provider's count.
    pub estimated: bool,
}

impl EmbeddingUsage {
    /// What these texts will have cost, about: four bytes to a token.
    #[must_use]
    pub fn estimate(texts: &[String]) -> Self {
        let counts = texts.iter().map(|text| tokens(text));
        Self { input_tokens: counts.fold(0, u64::saturating_add), estimated: true }
    }

    /// Both together.
    pub(crate) const fn and(self, other: Self) -> Self {
        Self {
            input_tokens: self.input_tokens.saturating_add(other.input_tokens),
            estimated: self.estimated || other.estimated,
        }
    }
}

/// An embedding model at a provider.
#[derive(Debug, Clone)]
pub struct EmbeddingTarget {
    /// The model, and how to reach it. The base URL may be the one that a chat model of the same provider has.
    pub model: ModelTarget,
    /// How many dimensions its vectors shall have; `None` for as many as it has by itself.
    pub dimensions: Option<u32>,
}

impl EmbeddingTarget {
    /// The model's vectors as they are.
    #[must_use]
    pub const fn new(model: ModelTarget) -> Self {
        Self { model, dimensions: None }
    }

    pub(crate) fn id(&self) -> String {
        let (provider, model) = (self.model.provider, self.model.model.trim());
        self.dimensions.map_or_else(|| format!("{provider}/{model}"), |count| format!("{provider}/{model}@{count}"))
    }

    pub(crate) fn check_dimensions(&self) -> Result<(), ModelError> {
        match self.dimensions {
            Some(asked) if !(1..=MOST_DIMENSIONS).contains(&asked) => Err(ModelError::DimensionsUnusable {
                model: self.model.model.clone(),
                asked,
                advice: format!("enter a number from 1 to {MOST_DIMENSIONS}, or none"),
            }),
            _ => Ok(()),
        }
    }
}

/// Whether the texts of a call may be embedded.
pub(crate) fn check_texts(texts: &[String]) -> Result<(), ModelError> {
    if texts.is_empty() || texts.iter().any(|text| text.trim().is_empty()) {
        return Err(ModelError::NothingToEmbed);
    }
    if texts.len() > MOST_TEXTS {
        return Err(ModelError::TooMuch { what: "texts", limit: MOST_TEXTS });
    }
    if texts.iter().any(|text| text.len() > MOST_TEXT_BYTES) {
        return Err(ModelError::TooMuch { what: "bytes in a text", limit: MOST_TEXT_BYTES });
    }
    Ok(())
}
