use omni_documents::Chunk;
use omni_domain::{Document, DocumentId, SiloId, VectorDbType};
use omni_models::{EmbeddingModel, Purpose};
use omni_persistence::{NewChunk, NewChunks, Written};
use omni_qdrant::{Collection, Condition, Filter, Point, PointId, Tenant};
use omni_rbac::{Editor, Grant};
use sha2::{Digest, Sha256};

use crate::{Knowledge, KnowledgeError, Watch};

/// How many passages are embedded between two looks at whether the work goes on.
const AT_ONCE: usize = 64;
/// How many points one request to a Qdrant server brings.
const POINTS: usize = 256;

impl Knowledge {
    /// Makes the passages of a document be found in place of those that it had: embeds them and writes them whole or not at
    /// all. Done twice, it comes to the same. Says how many there are.
    ///
    /// # Errors
    /// [`KnowledgeError::Stopped`] if the watch says so, [`KnowledgeError::OtherModel`] if the silo was embedded with another
    /// model than its service names now; else what the provider or the database says.
    pub async fn index(
        &self,
        grant: &Grant<Editor>,
        document: &Document,
        chunks: Vec<Chunk>,
        title: Option<String>,
        pages: Option<u32>,
        watch: &dyn Watch,
    ) -> Result<u64, KnowledgeError> {
        let embedded = self.parts.store.embedded_silo(&grant.at(), document.silo).await?;
        let model = self.embedder(&embedded)?;
        let content_hash = digest(&chunks);
        let (vectors, dimensions) = embed(&*model, &chunks, watch).await?;
        let count = u64::try_from(chunks.len()).unwrap_or(u64::MAX);
        watch.step("indexing", 0, Some(count)).await?;
        let in_qdrant = embedded.silo.settings.vector_db == VectorDbType::Qdrant;
        let (kept, sent): (Vec<_>, Vec<_>) = if in_qdrant {
            (vectors.iter().map(|_| None).collect(), vectors)
        } else {
            (vectors.into_iter().map(Some).collect(), Vec::new())
        };
        let chunks: Vec<NewChunk> = chunks
            .into_iter()
            .zip(kept)
            .map(|(chunk, vector)| NewChunk {
                content: chunk.text,
                page: chunk.page,
                headings: chunk.headings,
                start: u64::try_from(chunk.start).unwrap_or(u64::MAX),
                end: u64::try_from(chunk.end).unwrap_or(u64::MAX),
                vector,
            })
            .collect();
        let new = NewChunks {
            document: document.id,
            silo: document.silo,
            model: (model.id(), dimensions),
            epoch: embedded.silo.epoch,
            chunks: &chunks,
            title: title.as_deref(),
            pages,
            content_hash,
            ready: !in_qdrant,
            now: self.parts.clock.now(),
        };
        let written = self.parts.store.replace_chunks(grant, &new).await?;
        let numbers = match written {
            Written::Chunks(numbers) => numbers,
            Written::OtherModel(known) => {
                return Err(KnowledgeError::OtherModel { known, wanted: model.id().to_owned() });
            }
            Written::OtherEpoch => {
                return Err(KnowledgeError::Conflict("the silo was embedded anew meanwhile".to_owned()));
            }
        };
        if in_qdrant {
            let collection = collection(model.id(), dimensions)?;
            let points = numbers.iter().zip(sent).map(|(chunk, vector)| Point {
                id: PointId::Number(chunk.get().unsigned_abs()),
                vector,
                document: document.id,
                chunk: *chunk,
                metadata: document.metadata.clone(),
            });
            self.send_points(grant, document, &collection, points.collect()).await?;
            self.parts.store.document_ready(grant, document.id, self.parts.clock.now()).await?;
        }
        watch.step("indexing", count, Some(count)).await?;
        Ok(count)
    }

    /// Puts a document's points into the Qdrant server in place of those that it had there.
    async fn send_points(
        &self,
        grant: &Grant<Editor>,
        document: &Document,
        collection: &Collection,
        points: Vec<Point>,
    ) -> Result<(), KnowledgeError> {
        let qdrant = self.parts.qdrant.as_ref().ok_or(KnowledgeError::NoQdrant)?;
        let tenant = Tenant { app: grant.app(), silo: document.silo };
        qdrant.ensure_collection(collection).await?;
        let old = Filter::everything_of(tenant).and(Condition::Documents(vec![document.id]));
        qdrant.delete_points(collection, &old).await?;
        for points in points.chunks(POINTS) {
            qdrant.upsert(collection, tenant, points).await?;
        }
        Ok(())
    }

    /// Has a Qdrant server forget these documents of a silo, or all of it; what PostgreSQL knew of them is gone already, so
    /// none can be found. A silo in PostgreSQL has nothing there.
    ///
    /// # Errors
    /// What the server says.
    pub async fn forget_points(
        &self,
        grant: &Grant<Editor>,
        silo: SiloId,
        embedded_with: Option<&(String, u32)>,
        documents: Option<Vec<DocumentId>>,
    ) -> Result<(), KnowledgeError> {
        let (Some(qdrant), Some((model, dimensions))) = (self.parts.qdrant.as_ref(), embedded_with) else {
            return Ok(());
        };
        let everything = Filter::everything_of(Tenant { app: grant.app(), silo });
        let gone = match documents {
            Some(documents) => everything.and(Condition::Documents(documents)),
            None => everything,
        };
        Ok(qdrant.delete_points(&collection(model, *dimensions)?, &gone).await?)
    }
}

/// The collection for all vectors of one model: what is of one app is told from what is of others by every request.
pub(crate) fn collection(model: &str, dimensions: u32) -> Result<Collection, KnowledgeError> {
    let digest = Sha256::digest(model);
    let name: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    Ok(Collection::new(&format!("omni_{name}_{dimensions}"), dimensions)?)
}

fn digest(chunks: &[Chunk]) -> [u8; 32] {
    chunks
        .iter()
        .fold(Sha256::new(), |digest, chunk| digest.chain_update(&chunk.text).chain_update("\0"))
        .finalize()
        .into()
}

/// What is embedded of a passage: it, with the headings above it, for what it is about often stands only there.
pub(crate) fn text_of(headings: &[String], content: &str) -> String {
    match headings {
        [] => content.to_owned(),
        headings => format!("{}\n\n{content}", headings.join(" > ")),
    }
}

/// Embeds the passages.
async fn embed(
    model: &dyn EmbeddingModel,
    chunks: &[Chunk],
    watch: &dyn Watch,
) -> Result<(Vec<Vec<f32>>, u32), KnowledgeError> {
    let total = u64::try_from(chunks.len()).unwrap_or(u64::MAX);
    let mut vectors = Vec::with_capacity(chunks.len());
    for batch in chunks.chunks(AT_ONCE) {
        watch.step("embedding", u64::try_from(vectors.len()).unwrap_or(u64::MAX), Some(total)).await?;
        let texts = batch.iter().map(|chunk| text_of(&chunk.headings, &chunk.text));
        vectors.extend(model.embed(texts.collect(), Purpose::Document).await?.vectors);
    }
    let dimensions = vectors.first().map_or(0, Vec::len);
    if vectors.iter().any(|vector| vector.len() != dimensions) {
        return Err(omni_models::ModelError::Malformed { what: "its vectors are of different lengths" }.into());
    }
    Ok((vectors, u32::try_from(dimensions).unwrap_or(u32::MAX)))
}
