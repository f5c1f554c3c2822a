//! Text out of pictures, for whoever asks for it then and there.

use omni_domain::{AiService, Invalid, ServiceId};
use omni_models::{Image, ModelTarget, parse_base_url, transcribe};
use omni_persistence::StoreError;
use omni_rbac::{Grant, Viewer};
use secrecy::SecretString;

use crate::ingest::Reading;
use crate::{Knowledge, KnowledgeError, Received, Unwatched};

/// What was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extracted {
    /// The pages that have text, in their order.
    pub pages: Vec<ExtractedPage>,
    /// What read it: `model`, `tesseract` or `text`, which is to say that the file had its text in it.
    pub method: &'static str,
    /// What could not be read, and what to do about it.
    pub note: Option<String>,
}

/// A page that has text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExtractedPage {
    /// Its number, from 1.
    pub page: u32,
    /// What it says.
    pub text: String,
}

impl Knowledge {
    /// Reads the text of a picture or a document: with the AI service that is named, which must be able to see, or with
    /// what is installed here. A model sees pictures only.
    ///
    /// # Errors
    /// If there is no such service, the file cannot be read, or nothing here reads pictures.
    pub async fn extract_text(
        &self,
        grant: &Grant<Viewer>,
        file: &Received,
        service: Option<ServiceId>,
    ) -> Result<Extracted, KnowledgeError> {
        match service {
            Some(service) if file.format.is_image() => self.transcribe(grant, file, service).await,
            Some(service) => {
                self.seeing(grant, service).await?;
                self.read_here(file).await
            }
            None => self.read_here(file).await,
        }
    }

    async fn read_here(&self, file: &Received) -> Result<Extracted, KnowledgeError> {
        let path = file.draft.path()?;
        let Reading { extract, recognized, note } = self.read(path, &file.name, Some(file.format), &Unwatched).await?;
        if extract.sections.is_empty() && note.is_some() && self.parts.ocr.is_none() {
            return Err(KnowledgeError::OcrMissing(crate::ingest::missing()));
        }
        let mut pages: Vec<ExtractedPage> = Vec::new();
        for section in extract.sections {
            let page = section.page.unwrap_or(1);
            match pages.last_mut().filter(|last| last.page == page) {
                Some(last) => {
                    last.text.push_str(omni_documents::SEPARATOR);
                    last.text.push_str(&section.text);
                }
                None => pages.push(ExtractedPage { page, text: section.text }),
            }
        }
        let method = if recognized > 0 { "tesseract" } else { "text" };
        Ok(Extracted { pages, method, note })
    }

    /// The AI service that a request names.
    async fn seeing(
        &self,
        grant: &Grant<Viewer>,
        id: ServiceId,
    ) -> Result<(AiService, Option<SecretString>), KnowledgeError> {
        match self.ai_service(grant, id).await {
            Err(KnowledgeError::Store(StoreError::NotFound)) => {
                Err(Invalid::unknown_reference("service_id", id.get()).into())
            }
            found => found,
        }
    }

    async fn transcribe(
        &self,
        grant: &Grant<Viewer>,
        file: &Received,
        id: ServiceId,
    ) -> Result<Extracted, KnowledgeError> {
        let (service, api_key) = self.seeing(grant, id).await?;
        let mut target = ModelTarget::new(service.provider.parse()?, service.model);
        target.base_url = service.base_url.as_deref().map(parse_base_url).transpose()?;
        target.api_version = service.api_version;
        target.api_key = api_key;
        let model = self.parts.models.chat(target)?;
        let image = self.image(file).await?;
        let transcript = transcribe(&*model, image).await?;
        let note = (!transcript.complete).then(|| "the model stopped before the end of the text".to_owned());
        let page = ExtractedPage { page: 1, text: transcript.text };
        let pages = if page.text.is_empty() { Vec::new() } else { vec![page] };
        Ok(Extracted { pages, method: "model", note })
    }

    /// The picture as a model takes it, in memory; the crate of the models says how large it may be.
    async fn image(&self, file: &Received) -> Result<Image, KnowledgeError> {
        let most = u64::try_from(Image::MOST_BYTES).unwrap_or(u64::MAX);
        if file.draft.bytes() > most {
            return Err(omni_blobs::BlobError::TooLarge { limit: most }.into());
        }
        let mut reader = file.draft.reader().await?;
        let mut bytes = Vec::new();
        while let Some(piece) = reader.chunk().await? {
            bytes.extend_from_slice(&piece);
        }
        Ok(Image::new(bytes).map_err(omni_models::ModelError::from)?)
    }
}
