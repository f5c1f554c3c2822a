//! The files of a repository.

mod cancel;
mod content;
mod delete;
mod events;
mod form;
mod get;
mod list;
mod repository_events;
mod retry;
mod update;
mod upload;

use omni_domain::{DocumentId, RepositoryId};
use omni_http::{ApiError, FromPath, Visit};

pub(crate) use cancel::Cancel;
pub(crate) use content::Content;
pub(crate) use delete::Delete;
pub(crate) use events::Events;
pub(crate) use form::{FileForm, MOST_FILES, described_form};
pub(crate) use get::Get;
pub(crate) use list::List;
pub(crate) use repository_events::RepositoryEvents;
pub(crate) use retry::Retry;
pub(crate) use update::Update;
pub(crate) use upload::Upload;

/// The section of the documentation.
const SECTION: &str = "Repositories";

/// A file of a repository.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FilePath {
    pub(crate) repository: RepositoryId,
    pub(crate) file: DocumentId,
}

impl FromPath for FilePath {
    const NAMES: &'static [&'static str] = &["repo_id", "file_id"];

    fn from_path(visit: &Visit) -> Result<Self, ApiError> {
        Ok(Self { repository: RepositoryId::from_path(visit)?, file: DocumentId::from_path(visit)? })
    }
}
