//! From a file to passages.

use std::collections::BTreeMap;
use std::path::Path;

use omni_blobs::BlobHash;
use omni_documents::{Extract, Format, ParseRequest, Section, Unreadable};
use omni_domain::{Document, DocumentId};
use omni_persistence::{Home, StoreError};
use omni_rbac::{Editor, Grant, Viewer};

use crate::index::Indexing;
use crate::{JobReport, Knowledge, KnowledgeError, Watch};

/// What a file says, and what a person should know of how it was read.
pub(crate) struct Reading {
    pub(crate) extract: Extract,
    /// Pages whose text was read out of pictures.
    pub(crate) recognized: u64,
    pub(crate) note: Option<String>,
}

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
        let Reading { mut extract, recognized, note } = self.read_document(&document, watch).await?;
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
        self.read(&path, &document.name, format, watch).await
    }

    /// Reads a file of any format; pictures, and pages of a PDF that are pictures, with OCR where that is installed.
    pub(crate) async fn read(
        &self,
        path: &Path,
        name: &str,
        format: Option<Format>,
        watch: &dyn Watch,
    ) -> Result<Reading, KnowledgeError> {
        if let Some(picture) = format.filter(|format| format.is_image()) {
            return self.read_picture(path, picture).await;
        }
        let request = ParseRequest { format, ..ParseRequest::named(name) };
        let mut extract = self.parts.parser.parse(path, request).await?;
        let blank = std::mem::take(&mut extract.pages_without_text);
        if blank.is_empty() {
            return Ok(Reading { extract, recognized: 0, note: None });
        }
        let Some(ocr) = &self.parts.ocr else {
            let note = unread(blank.len(), &missing());
            return Ok(Reading { extract, recognized: 0, note: Some(note) });
        };
        let total = u64::try_from(blank.len()).unwrap_or(u64::MAX);
        let mut recognized = 0;
        let mut note = None;
        for (done, page) in (0_u64..).zip(&blank) {
            watch.step("reading", done, Some(total)).await?;
            match ocr.pdf_pages(path, &[*page]).await {
                Ok(sections) => {
                    recognized += u64::from(!sections.is_empty());
                    extract.sections.extend(sections);
                }
                // Without the program that draws pages, none of them will do.
                Err(error @ Unreadable::OcrMissing { .. }) => {
                    note = Some(unread(blank.len(), &error));
                    break;
                }
                Err(error) => note = Some(format!("page {page} could not be read: {error}")),
            }
        }
        extract.sections.sort_by_key(|section: &Section| section.page);
        Ok(Reading { extract, recognized, note })
    }

    async fn read_picture(&self, path: &Path, format: Format) -> Result<Reading, KnowledgeError> {
        let ocr = self.parts.ocr.as_ref().ok_or_else(|| KnowledgeError::OcrMissing(missing()))?;
        let sections = ocr.image(path, format).await?;
        let extract = Extract {
            format,
            title: None,
            author: None,
            language: None,
            sections,
            pages: None,
            pages_without_text: Vec::new(),
            web: None,
        };
        Ok(Reading { extract, recognized: 1, note: None })
    }
}

/// What there is to say where no OCR was found.
pub(crate) fn missing() -> Unreadable {
    Unreadable::OcrMissing { program: "tesseract", package: "tesseract-ocr" }
}

fn unread(pages: usize, why: &Unreadable) -> String {
    match pages {
        1 => format!("one page is a picture or blank and was left out; {why}"),
        _ => format!("{pages} pages are pictures or blank and were left out; {why}"),
    }
}
