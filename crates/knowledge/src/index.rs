use omni_documents::Chunk;
use omni_domain::{DocumentId, SiloId, VectorDbType};
use omni_models::{EmbeddingModel, Purpose};
use omni_persistence::{Home, NewChunk, NewChunks, StoreError, Written};
use omni_qdrant::{Collection, Condition, Filter, Point, PointId, Tenant};
use omni_rbac::{Editor, Grant};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::{Knowledge, KnowledgeError, Watch};

/// How many passages are embedded between two looks at whether the work goes on.
const AT_ONCE: usize = 64;
/// How often passages are embedded whose silo is embedded anew meanwhile.
const ATTEMPTS: usize = 3;
/// How many points one request to a Qdrant server brings.
const POINTS: usize = 256;

/// What is to be found, and as whose.
pub(crate) struct Indexing<'a> {
    /// Whose passages they are.
    pub(crate) home: Home<'a>,
    pub(crate) silo: SiloId,
    /// What filters go by.
    pub(crate) metadata: &'a Map<String, Value>,
    pub(crate) chunks: Vec<Chunk>,
    /// What the document calls itself.
    pub(crate) title: Option<String>,
    pub(crate) pages: Option<u32>,
}

impl Knowledge {
    /// Makes passages be found in place of those that their document had: embeds them and writes them whole or not at all.
    /// Done twice with a document or a page, it comes to the same. Says which document it is, and how many passages there
    /// are.
    ///
    /// # Errors
    /// [`KnowledgeError::Stopped`] if the watch says so, [`KnowledgeError::OtherModel`] if the silo was embedded with another
    /// model than its service names now; else what the provider or the database says.
    pub(crate) async fn index(
        &self,
        grant: &Grant<Editor>,
        indexing: &Indexing<'_>,
        watch: &dyn Watch,
    ) -> Result<(DocumentId, u64), KnowledgeError> {
        for _ in 0..ATTEMPTS {
            if let Some(indexed) = self.try_index(grant, indexing, watch).await? {
                return Ok(indexed);
            }
        }
        Err(KnowledgeError::Conflict("the silo was embedded anew again and again meanwhile".to_owned()))
    }

    /// Nothing, if the silo was embedded anew before the passages were written: their vectors are of a time that is over.
    async fn try_index(
        &self,
        grant: &Grant<Editor>,
        indexing: &Indexing<'_>,
        watch: &dyn Watch,
    ) -> Result<Option<(DocumentId, u64)>, KnowledgeError> {
        let embedded = self.parts.store.embedded_silo(&grant.at(), indexing.silo).await?;
        let model = self.embedder(&embedded)?;
        let (vectors, dimensions) = embed(&*model, &indexing.chunks, watch).await?;
        let count = u64::try_from(indexing.chunks.len()).unwrap_or(u64::MAX);
        watch.step("indexing", 0, Some(count)).await?;
        let in_qdrant = embedded.silo.settings.vector_db == VectorDbType::Qdrant;
        let (kept, sent): (Vec<_>, Vec<_>) = if in_qdrant {
            (vectors.iter().map(|_| None).collect(), vectors)
        } else {
            (vectors.into_iter().map(Some).collect(), Vec::new())
        };
        let chunks: Vec<NewChunk> = indexing
            .chunks
            .iter()
            .zip(kept)
            .map(|(chunk, vector)| NewChunk {
                content: chunk.text.clone(),
                page: chunk.page,
                headings: chunk.headings.clone(),
                start: u64::try_from(chunk.start).unwrap_or(u64::MAX),
                end: u64::try_from(chunk.end).unwrap_or(u64::MAX),
                vector,
            })
            .collect();
        let new = NewChunks {
            home: indexing.home,
            silo: indexing.silo,
            model: (model.id(), dimensions),
            epoch: embedded.silo.epoch,
            chunks: &chunks,
            title: indexing.title.as_deref(),
            pages: indexing.pages,
            content_hash: digest(&indexing.chunks),
            ready: !in_qdrant,
            now: self.parts.clock.now(),
        };
        let (document, numbers) = match self.parts.store.replace_chunks(grant, &new).await? {
            Written::Chunks { document, chunks } => (document, chunks),
            Written::OtherModel(known) => {
                return Err(KnowledgeError::OtherModel { known, wanted: model.id().to_owned() });
            }
            Written::OtherEpoch => return Ok(None),
        };
        if in_qdrant {
            let collection = collection(model.id(), dimensions)?;
            let points = numbers.iter().zip(sent).map(|(chunk, vector)| Point {
                id: PointId::Number(chunk.get().unsigned_abs()),
                vector,
                document,
                chunk: *chunk,
                metadata: indexing.metadata.clone(),
            });
            let tenant = Tenant { app: grant.app(), silo: indexing.silo };
            self.send_points(tenant, document, &collection, points.collect()).await?;
            let ready = self.parts.store.document_ready(grant, document, self.parts.clock.now()).await;
            if let Err(StoreError::NotFound) = ready {
                // It was deleted while they were on their way, and so may what was noted of it then have been.
                self.parts.store.note_points(grant, indexing.silo, (model.id(), dimensions), &numbers).await?;
            }
            ready?;
        }
        watch.step("indexing", count, Some(count)).await?;
        Ok(Some((document, count)))
    }

    /// Puts a document's points into the Qdrant server in place of those that it had there.
    async fn send_points(
        &self,
        tenant: Tenant,
        document: DocumentId,
        collection: &Collection,
        points: Vec<Point>,
    ) -> Result<(), KnowledgeError> {
        let qdrant = self.parts.qdrant.as_ref().ok_or(KnowledgeError::NoQdrant)?;
        qdrant.ensure_collection(collection).await?;
        let old = Filter::everything_of(tenant).and(Condition::Documents(vec![document]));
        qdrant.delete_points(collection, &old).await?;
        for points in points.chunks(POINTS) {
            qdrant.upsert(collection, tenant, points).await?;
        }
        Ok(())
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
