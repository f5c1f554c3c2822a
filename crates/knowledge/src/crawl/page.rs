//! Reading a page that arrived.

use std::io::Write;

use bytes::Bytes;
use omni_crawl::Page;
use omni_documents::{Extract, Flaw, Format, ParseRequest, Unreadable, WebReferences};
use omni_domain::{ErrorKind, Failure};
use omni_persistence::PageText;
use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;

use crate::{Knowledge, KnowledgeError};

/// The longest name of a page, in characters.
const MOST_OF_NAME: usize = 255;

/// What a page says.
pub(super) enum Reading {
    /// Text.
    Text(Box<PageContent>),
    /// Nothing that could be found; it may lead to other pages all the same.
    Nothing { reason: String, web: Option<WebReferences> },
    /// It is damaged, or more than is read.
    Unreadable { reason: String },
}

/// The text of a page.
pub(super) struct PageContent {
    pub(super) extract: Extract,
    /// The SHA-256 of its title and its text.
    pub(super) hash: [u8; 32],
}

impl PageContent {
    fn of(extract: Extract) -> Self {
        let title = extract.title.as_deref().unwrap_or_default();
        let hash =
            Sha256::new().chain_update(title).chain_update("\0").chain_update(extract.whole_text().text).finalize();
        Self { extract, hash: hash.into() }
    }

    /// What its document is called.
    pub(super) fn about(&self, page: &Page) -> PageText {
        let url = page.final_url.address().to_string();
        let title = self.extract.title.as_deref().map(str::trim).filter(|title| !title.is_empty());
        PageText {
            name: title.unwrap_or(&url).chars().take(MOST_OF_NAME).collect(),
            url,
            media_type: page.media_type.clone(),
            bytes: u64::try_from(page.bytes.len()).unwrap_or(u64::MAX),
        }
    }
}

impl Knowledge {
    /// Reads a page in a confined child: what the selector picks, or else what its reader came for, or else all of it.
    pub(super) async fn read_page(&self, page: &Page, selector: Option<&str>) -> Result<Reading, KnowledgeError> {
        let file = stored(page.bytes.clone()).await?;
        let format = format(&page.media_type);
        let is_web_page = format == Some(Format::Html);
        let request = |selector: Option<&str>, main_text| ParseRequest {
            file_name: None,
            format,
            charset: page.charset.clone(),
            selector: selector.map(str::to_owned),
            main_text,
        };
        let selector = selector.filter(|_| is_web_page);
        let parse = |request| self.parts.parser.parse(file.path(), request);
        let picked = parse(request(selector, is_web_page)).await;
        if !is_web_page || !matches!(picked, Err(Unreadable::Flaw(Flaw::NoText))) {
            return judged(picked, None);
        }
        let whole = parse(request(None, false)).await;
        match (selector, whole) {
            (Some(_), Ok(whole)) => Ok(Reading::Nothing {
                reason: "holds no text where content_selector looks for it".to_owned(),
                web: whole.web,
            }),
            (_, whole) => judged(whole, None),
        }
    }
}

/// What is wrong with a page is noted with it; what is wrong with us ends the work.
fn judged(read: Result<Extract, Unreadable>, web: Option<WebReferences>) -> Result<Reading, KnowledgeError> {
    match read {
        Ok(extract) if extract.sections.is_empty() => {
            Ok(Reading::Nothing { reason: "holds no text".to_owned(), web: extract.web })
        }
        Ok(extract) => Ok(Reading::Text(Box::new(PageContent::of(extract)))),
        Err(Unreadable::Flaw(Flaw::NoText | Flaw::Empty)) => {
            Ok(Reading::Nothing { reason: "holds no text".to_owned(), web })
        }
        Err(error) if matches!(error.kind(), ErrorKind::Internal | ErrorKind::Unavailable) => Err(error.into()),
        Err(error) => Ok(Reading::Unreadable { reason: error.to_string() }),
    }
}

/// The page as a file, which is what a child can be given.
async fn stored(bytes: Bytes) -> Result<NamedTempFile, KnowledgeError> {
    let write = move || {
        let mut file = NamedTempFile::new()?;
        file.write_all(&bytes)?;
        Ok(file)
    };
    let written = tokio::task::spawn_blocking(write).await;
    let written = written.map_err(|error| KnowledgeError::Defect(Box::new(error)))?;
    written.map_err(|error| Unreadable::Transfer(error).into())
}

fn format(media_type: &str) -> Option<Format> {
    match media_type {
        "application/xhtml+xml" => Some(Format::Html),
        "text/x-markdown" => Some(Format::Markdown),
        media_type => Format::all().find(|format| format.media_type() == media_type),
    }
}
