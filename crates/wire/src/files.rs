use omni_domain::{Document, DocumentId, FolderId, Patch, RepositoryId, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// A file that was received.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ReceivedFile {
    /// Its number.
    #[schema(value_type = i64)]
    pub resource_id: DocumentId,
    /// What it is called.
    pub filename: String,
    /// How many bytes it has.
    pub file_size: u64,
    /// How far it is: `processing`.
    pub status: String,
}

impl From<Document> for ReceivedFile {
    fn from(file: Document) -> Self {
        Self { resource_id: file.id, filename: file.name, file_size: file.bytes, status: file.status.to_string() }
    }
}

/// What was received: the first file, and where there are several, all of them.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct UploadResponse {
    /// The first file.
    #[serde(flatten)]
    pub first: ReceivedFile,
    /// All files, where there are several.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<ReceivedFile>,
}

/// A change of a file; what is left out stays.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
pub struct UpdateFileRequest {
    /// A new name. Also read as `filename`.
    #[serde(default, alias = "filename")]
    #[schema(max_length = 255)]
    pub name: Option<String>,
    /// Another folder of the same repository; `null` takes it out of all folders.
    #[serde(default)]
    #[schema(value_type = Option<i64>)]
    pub folder_id: Patch<FolderId>,
    /// What is known of it, for filters: texts, numbers, booleans, and lists of them, in place of what was known.
    #[serde(default)]
    pub metadata: Option<Map<String, Value>>,
}

/// A file of a repository.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct FileResponse {
    /// Its number.
    #[schema(value_type = i64)]
    pub resource_id: DocumentId,
    /// The repository that it is in.
    #[schema(value_type = Option<i64>)]
    pub repository_id: Option<RepositoryId>,
    /// The folder that it is in.
    #[schema(value_type = Option<i64>)]
    pub folder_id: Option<FolderId>,
    /// What it is called.
    pub filename: String,
    /// What it is.
    pub media_type: String,
    /// How many bytes it has.
    pub file_size: u64,
    /// `processing`, `ready`, `failed` or `cancelled`.
    pub status: String,
    /// Why it failed, why it is tried again, or what of it could not be read.
    pub error: Option<String>,
    /// What is known of it, for filters.
    pub metadata: Map<String, Value>,
    /// What it calls itself.
    pub title: Option<String>,
    /// How many pages it has, if it has any.
    pub pages: Option<u32>,
    /// How many passages can be found.
    pub chunk_count: u64,
    /// When it was uploaded.
    #[serde(with = "time::serde::rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    pub create_date: Timestamp,
    /// When it last changed.
    #[serde(with = "time::serde::rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    pub update_date: Timestamp,
}

impl From<Document> for FileResponse {
    fn from(file: Document) -> Self {
        Self {
            resource_id: file.id,
            repository_id: file.repository,
            folder_id: file.folder,
            filename: file.name,
            media_type: file.media_type,
            file_size: file.bytes,
            status: file.status.to_string(),
            error: file.error,
            metadata: file.metadata,
            title: file.title,
            pages: file.pages,
            chunk_count: file.chunks,
            create_date: file.created,
            update_date: file.updated,
        }
    }
}

/// How far a file is, as an event tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FileEvent {
    /// The file.
    #[schema(value_type = i64)]
    pub resource_id: DocumentId,
    /// What it is called.
    pub filename: String,
    /// `processing`, `ready`, `failed` or `cancelled`.
    pub status: String,
    /// What is being done: `reading`, `cutting`, `embedding` or `indexing`; none while it waits or when it is over.
    pub stage: Option<String>,
    /// How much of the stage is done.
    pub done: u64,
    /// Out of how much, if that is known.
    pub total: Option<u64>,
    /// How many passages can be found.
    pub chunk_count: u64,
    /// Why it failed, why it is tried again, or what of it could not be read.
    pub error: Option<String>,
}

/// What somebody who follows files is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum FileNews {
    /// Something changed of a file.
    Progress(FileEvent),
    /// Nobody works on any of the files any more; nothing comes after it.
    Done {
        /// How many files were told of.
        files: usize,
    },
    /// How far the files are cannot be told now; nothing comes after it.
    Error {
        /// What to do.
        detail: &'static str,
    },
}

/// The text of a file.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct OcrResponse {
    /// All of it.
    pub text: String,
    /// The pages that have text.
    pub pages: Vec<OcrPage>,
    /// What read it: `model`, `tesseract`, or `text` if the file had its text in it.
    pub method: String,
    /// What could not be read, and what to do about it.
    pub note: Option<String>,
}

/// A page that has text.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct OcrPage {
    /// Its number, from 1.
    pub page: u32,
    /// What it says.
    pub text: String,
}
