//! What a file says: its text, and what stands in its pictures.

use std::path::Path;
use std::sync::Arc;

use omni_documents::{Extract, Format, PageDrawer, ParseRequest, Section, Unreadable};
use omni_models::{ChatModel, Image, ModelError, transcribe};

use crate::{Knowledge, KnowledgeError, Watch};

/// What a file says, and what a person should know of how it was read.
pub(crate) struct Reading {
    pub(crate) extract: Extract,
    /// Pages whose text was read out of pictures.
    pub(crate) recognized: u64,
    /// What could not be read, and why.
    pub(crate) note: Option<String>,
    /// What would have to be installed for that.
    pub(crate) missing: Option<Unreadable>,
}

/// Who reads pictures, and how many pages of one file at most.
pub(crate) struct Sight {
    pub(crate) eye: Eye,
    pub(crate) most_pages: usize,
}

/// Who reads pictures.
#[derive(Clone)]
pub(crate) enum Eye {
    /// What is installed on this server.
    Installed,
    /// A model that sees.
    Model(Arc<dyn ChatModel>),
}

impl Sight {
    /// What is installed here reads all there is.
    pub(crate) const HERE: Self = Self { eye: Eye::Installed, most_pages: usize::MAX };
}

impl Knowledge {
    /// Reads a file of any format; pictures, and pages of a PDF that are pictures, are read by whoever is to.
    pub(crate) async fn read(
        &self,
        path: &Path,
        name: &str,
        format: Option<Format>,
        sight: &Sight,
        watch: &dyn Watch,
    ) -> Result<Reading, KnowledgeError> {
        if let Some(picture) = format.filter(|format| format.is_image()) {
            return self.read_picture(path, picture, &sight.eye).await;
        }
        let request = ParseRequest { format, ..ParseRequest::named(name) };
        let mut extract = self.parts.parser.parse(path, request).await?;
        let blank = std::mem::take(&mut extract.pages_without_text);
        let mut reading = Reading { extract, recognized: 0, note: None, missing: None };
        let total = u64::try_from(blank.len().min(sight.most_pages)).unwrap_or(u64::MAX);
        for (done, page) in (0_u64..).zip(blank.iter().take(sight.most_pages)) {
            watch.step("reading", done, Some(total)).await?;
            match self.recognize(path, *page, &sight.eye).await {
                Ok(sections) => {
                    reading.recognized += u64::from(!sections.is_empty());
                    reading.extract.sections.extend(sections);
                }
                // Without the programs none of the pages will do.
                Err(KnowledgeError::Unreadable(error @ Unreadable::OcrMissing { .. })) => {
                    reading.note = Some(unread(blank.len(), &error));
                    reading.missing = Some(error);
                    break;
                }
                Err(KnowledgeError::Unreadable(error)) => {
                    reading.note = Some(format!("page {page} could not be read: {error}"));
                }
                Err(error) => return Err(error),
            }
        }
        if let Some(left) = blank.len().checked_sub(sight.most_pages).filter(|left| *left > 0) {
            reading.note = Some(format!(
                "{left} more pages are pictures; at most {} are read at once: upload the file to a repository",
                sight.most_pages
            ));
        }
        reading.extract.sections.sort_by_key(|section: &Section| section.page);
        Ok(reading)
    }

    async fn read_picture(&self, path: &Path, format: Format, eye: &Eye) -> Result<Reading, KnowledgeError> {
        let (sections, note) = match eye {
            Eye::Installed => {
                let ocr = self.parts.ocr.as_ref().ok_or_else(|| KnowledgeError::OcrMissing(missing()))?;
                (ocr.image(path, format).await?, None)
            }
            Eye::Model(model) => {
                // One more byte than a model takes, so that what is too large is found to be.
                let most = Image::MOST_BYTES + 1;
                let bytes = first_bytes(path, most).await.map_err(Unreadable::File)?;
                let transcript = transcribe(&**model, Image::new(bytes).map_err(ModelError::from)?).await?;
                let note = (!transcript.complete).then(|| "the model stopped before the end of the text".to_owned());
                (section(transcript.text, None), note)
            }
        };
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
        Ok(Reading { extract, recognized: 1, note, missing: None })
    }

    /// What stands on a page of a PDF that is a picture.
    async fn recognize(&self, path: &Path, page: u32, eye: &Eye) -> Result<Vec<Section>, KnowledgeError> {
        match eye {
            Eye::Installed => {
                let ocr = self.parts.ocr.as_ref().ok_or_else(missing)?;
                Ok(ocr.pdf_pages(path, &[page]).await?)
            }
            Eye::Model(model) => {
                let drawer = self.parts.drawer.as_ref().ok_or_else(PageDrawer::missing)?;
                let drawn = Image::new(drawer.png(path, page).await?).map_err(ModelError::from)?;
                Ok(section(transcribe(&**model, drawn).await?.text, Some(page)))
            }
        }
    }
}

async fn first_bytes(path: &Path, most: usize) -> std::io::Result<Vec<u8>> {
    use tokio::io::AsyncReadExt;

    let mut bytes = Vec::new();
    let file = tokio::fs::File::open(path).await?;
    file.take(u64::try_from(most).unwrap_or(u64::MAX)).read_to_end(&mut bytes).await?;
    Ok(bytes)
}

/// The text as a section; none if there is no text.
fn section(text: String, page: Option<u32>) -> Vec<Section> {
    if text.is_empty() { Vec::new() } else { vec![Section { text, page, headings: Vec::new() }] }
}

/// What there is to say where no OCR was found.
fn missing() -> Unreadable {
    Unreadable::OcrMissing { program: "tesseract", package: "tesseract-ocr" }
}

fn unread(pages: usize, why: &Unreadable) -> String {
    match pages {
        1 => format!("one page is a picture or blank and was left out; {why}"),
        _ => format!("{pages} pages are pictures or blank and were left out; {why}"),
    }
}
