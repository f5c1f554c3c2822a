//! Text out of pictures, for whoever asks for it then and there.

use omni_domain::{Invalid, ServiceId};
use omni_models::{ModelTarget, parse_base_url};
use omni_persistence::StoreError;
use omni_rbac::{Grant, Viewer};

use crate::reading::{Eye, Reading, Sight};
use crate::{Knowledge, KnowledgeError, Received, Unwatched};

/// How many pages that are pictures one request has read: somebody waits for it.
const MOST_PAGES: usize = 20;

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
    /// Reads the text of a picture or a document. What is a picture in it is read by the AI service that is named, which
    /// must be able to see, or by what is installed here.
    ///
    /// # Errors
    /// If there is no such service, the file cannot be read, or nothing here reads pictures.
    pub async fn extract_text(
        &self,
        grant: &Grant<Viewer>,
        file: &Received,
        service: Option<ServiceId>,
    ) -> Result<Extracted, KnowledgeError> {
        let eye = match service {
            Some(service) => self.seeing(grant, service).await?,
            None => Eye::Installed,
        };
        let by = match &eye {
            Eye::Installed => "tesseract",
            Eye::Model(_) => "model",
        };
        let sight = Sight { eye, most_pages: MOST_PAGES };
        let read = self.read(file.draft.path()?, &file.name, Some(file.format), &sight, &Unwatched).await?;
        let Reading { extract, recognized, note, missing } = read;
        if let (true, Some(missing)) = (extract.sections.is_empty(), missing) {
            return Err(KnowledgeError::OcrMissing(missing));
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
        Ok(Extracted { pages, method: if recognized > 0 { by } else { "text" }, note })
    }

    /// The model of the AI service that a request names.
    async fn seeing(&self, grant: &Grant<Viewer>, id: ServiceId) -> Result<Eye, KnowledgeError> {
        let (service, api_key) = self.ai_service(grant, id).await.map_err(|error| match error {
            KnowledgeError::Store(StoreError::NotFound) => Invalid::unknown_reference("service_id", id.get()).into(),
            other => other,
        })?;
        let mut target = ModelTarget::new(service.provider.parse()?, service.model);
        target.base_url = service.base_url.as_deref().map(parse_base_url).transpose()?;
        target.api_version = service.api_version;
        target.api_key = api_key;
        Ok(Eye::Model(self.parts.models.chat(target)?))
    }
}
