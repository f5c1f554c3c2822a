//! From a file to passages.

use std::collections::BTreeMap;

use omni_blobs::BlobHash;
use omni_documents::Format;
use omni_domain::{Document, DocumentId};
use omni_persistence::{Home, StoreError};
use omni_rbac::{Editor, Grant, Viewer};

use crate::index::Indexing;
use crate::reading::{Reading, Sight};
use crate::{JobReport, Knowledge, KnowledgeError, Watch};

impl Knowledge {
    /// Reads a document's file, cuts it and has it found. Each time it is done from the beginning and comes to the same, so
    /// it can be broken off anywhere.
    pub(crate) async fn ingest(
        &self,
        grant: &Grant<Editor>,
        id: DocumentId,
        watch: &dyn Watch,
    ) -> Result<JobReport, KnowledgeError> {
        let document = self.parts.store.find_document(&grant.at::<Viewer>(), id).await?.ok_or(StoreError::NotFound)?;
        let Reading { mut extract, recognized, note, .. } = self.read_document(&document, watch).await?;
        watch.step("cutting", 0, None).await?;
        let (title, pages) = (extract.title.take(), extract.pages);
        let chunker = self.parts.chunker;
        let chunks = tokio::task::spawn_blocking(move || chunker.chunks(&extract));
        let chunks = chunks.await.map_err(|error| KnowledgeError::Defect(Box::new(error)))?;
        if chunks.is_empty() {
            return Err(KnowledgeError::NoText(note.unwrap_or_else(|| "there is no text in this file".to_owned())));
        }
        let (home, silo, metadata) = (Home::Document(id), document.silo, &document.metadata);
        let indexing = Indexing { home, silo, metadata, chunks, title, pages };
        let (_, count) = self.index(grant, &indexing, watch).await?;
        let mut tally = BTreeMap::from([("chunks".to_owned(), count)]);
        if recognized > 0 {
            tally.insert("pages_by_ocr".to_owned(), recognized);
        }
        Ok(JobReport { tally, note })
    }

    async fn read_document(&self, document: &Document, watch: &dyn Watch) -> Result<Reading, KnowledgeError> {
        watch.step("reading", 0, None).await?;
        let hash = document.blob.map(BlobHash::new).ok_or(StoreError::NotFound)?;
        if !self.parts.blobs.contains(&hash).await? {
            return Err(KnowledgeError::FileGone);
        }
        let path = self.parts.blobs.path(&hash);
        let format = Format::all().find(|format| format.media_type() == document.media_type);
        self.read(&path, &document.name, format, &Sight::HERE, watch).await
    }
}
