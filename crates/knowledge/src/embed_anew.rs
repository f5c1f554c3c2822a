use std::collections::BTreeMap;

use omni_domain::{EmbeddingServiceId, Job, SiloId, VectorDbType};
use omni_models::Purpose;
use omni_rbac::{Editor, Grant};

use crate::{JobReport, Knowledge, KnowledgeError, Watch};

/// How many passages are embedded between two looks at whether the work goes on.
const AT_ONCE: u32 = 64;

impl Knowledge {
    /// Asks for a silo to be embedded anew: by its embedding service as it is now, or by another one. What is searched
    /// stays what it is until all of it is done.
    ///
    /// # Errors
    /// If the app has no such silo or service, that is being done already, or the silo keeps its vectors in Qdrant.
    pub async fn embed_silo_anew(
        &self,
        grant: &Grant<Editor>,
        silo: SiloId,
        service: Option<EmbeddingServiceId>,
    ) -> Result<Job, KnowledgeError> {
        let embedded = self.parts.store.embedded_silo(&grant.at(), silo).await?;
        if embedded.silo.settings.vector_db == VectorDbType::Qdrant {
            let problem = "a silo in Qdrant is not embedded anew in place; make another silo and move its files there";
            return Err(KnowledgeError::Conflict(problem.to_owned()));
        }
        let job = self.parts.store.embed_anew(grant, silo, service, self.parts.clock.now()).await?;
        self.wake();
        Ok(job)
    }

    /// Embeds a silo anew. Taken up again, it goes on where it was.
    pub(crate) async fn embed_anew(
        &self,
        grant: &Grant<Editor>,
        silo: SiloId,
        watch: &dyn Watch,
    ) -> Result<JobReport, KnowledgeError> {
        let embedded = self.parts.store.next_embedded_silo(&grant.at(), silo).await?;
        let model = self.embedder(&embedded)?;
        let epoch = embedded.silo.epoch + 1;
        self.parts.store.write_epoch_with(grant, silo, epoch, model.id()).await?;
        let (mut done, mut dimensions) = (0_u64, None);
        loop {
            let (chunks, missing) = self.parts.store.unembedded(grant, silo, epoch, AT_ONCE).await?;
            watch.step("embedding", done, Some(done + missing)).await?;
            if chunks.is_empty() {
                let with = match dimensions {
                    Some(dimensions) => Some((model.id(), dimensions)),
                    // All of it was there already, from an earlier attempt, or there is nothing.
                    None => self.parts.store.dimensions_of(grant, silo, epoch).await?.map(|found| (model.id(), found)),
                };
                if self.parts.store.begin_epoch(grant, silo, epoch, with, self.parts.clock.now()).await? {
                    break;
                }
                continue;
            }
            let texts = chunks.iter().map(|chunk| crate::index::text_of(&chunk.headings, &chunk.content));
            let vectors = model.embed(texts.collect(), Purpose::Document).await?;
            dimensions = u32::try_from(vectors.dimensions).ok();
            done += u64::try_from(chunks.len()).unwrap_or(u64::MAX);
            let vectors: Vec<_> = chunks.iter().map(|chunk| chunk.chunk).zip(vectors.vectors).collect();
            self.parts.store.add_vectors(grant, silo, epoch, &vectors).await?;
        }
        Ok(JobReport { tally: BTreeMap::from([("embedded".to_owned(), done)]), note: None })
    }
}
