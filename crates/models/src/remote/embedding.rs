use std::ops::Range;
use std::sync::Arc;

use futures::future::BoxFuture;
use futures::{StreamExt, TryStreamExt, stream};
use tokio::time::Instant;

use super::batches::batches;
use super::call::after;
use super::exchange::Exchange;
use super::retries::Retries;
use super::vectors::{check_dimensions, vectors_of};
use crate::chance::Chance;
use crate::embedding::{EmbeddingModel, EmbeddingUsage, Embeddings, Purpose, check_texts};
use crate::error::ModelError;
use crate::wire::embedding::{EmbeddingWire, Most};

/// How many requests of one call are under way at once.
const AT_ONCE: usize = 2;
/// The most bytes of an answer for each vector, enough for 8000 numbers as JSON writes them, and those around the vectors.
const BYTES_OF_VECTOR: usize = 192 * 1024;
const BYTES_AROUND: usize = 64 * 1024;

/// An embedding model at a provider.
#[derive(Debug)]
pub(crate) struct RemoteEmbedding(pub(crate) Arc<Embedder>);

#[derive(Debug)]
pub(crate) struct Embedder {
    pub(crate) id: String,
    pub(crate) exchange: Exchange,
    pub(crate) wire: Box<dyn EmbeddingWire>,
    pub(crate) most: Most,
    pub(crate) dimensions: Option<u32>,
    pub(crate) chance: Chance,
}

impl EmbeddingModel for RemoteEmbedding {
    fn id(&self) -> &str {
        &self.0.id
    }

    fn embed(&self, texts: Vec<String>, purpose: Purpose) -> BoxFuture<'static, Result<Embeddings, ModelError>> {
        let embedder = Arc::clone(&self.0);
        Box::pin(async move { embedder.embed(&texts, purpose).await })
    }
}

impl Embedder {
    async fn embed(&self, texts: &[String], purpose: Purpose) -> Result<Embeddings, ModelError> {
        check_texts(texts)?;
        let retries = Retries::new(self.chance.clone(), after(Instant::now(), self.exchange.deadlines.total));
        let asking: Vec<_> = batches(texts, self.most)
            .into_iter()
            .map(|batch| self.embed_batch(texts, batch, purpose, &retries))
            .collect();
        let answers: Vec<_> = stream::iter(asking).buffered(AT_ONCE).try_collect().await?;
        let usage = answers.iter().map(|(_, usage)| *usage).reduce(EmbeddingUsage::and).unwrap_or_default();
        let vectors: Vec<Vec<f32>> = answers.into_iter().flat_map(|(vectors, _)| vectors).collect();
        check_dimensions(&vectors, self.dimensions, &self.exchange.model)?;
        Ok(Embeddings::new(vectors, usage))
    }

    async fn embed_batch(
        &self,
        texts: &[String],
        batch: Range<usize>,
        purpose: Purpose,
        retries: &Retries,
    ) -> Result<(Vec<Vec<f32>>, EmbeddingUsage), ModelError> {
        let texts = texts.get(batch).unwrap_or_default();
        let longest = texts.len().saturating_mul(BYTES_OF_VECTOR).saturating_add(BYTES_AROUND);
        let body = self.wire.body(texts, purpose);
        let reply = self.exchange.answer(body, longest, retries, |answer| self.wire.read(answer)).await?;
        let usage = reply.input_tokens.map_or_else(
            || EmbeddingUsage::estimate(texts),
            |input_tokens| EmbeddingUsage { input_tokens, estimated: false },
        );
        Ok((vectors_of(reply, texts.len())?, usage))
    }
}
