use serde_json::{Map, Value};

use crate::silo::words;
use crate::{AppId, Audited, DocumentId, Facts, FolderId, RepositoryId, SiloId, Timestamp};
use std::fmt;
use std::str::FromStr;

/// What passages are from: a file of a repository, a page of a domain, or a text that a program indexed.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// The document's number; of a file, its `resource_id`.
    pub id: DocumentId,
    /// The app that it belongs to.
    pub app: AppId,
    /// The silo that it is searched in.
    pub silo: SiloId,
    /// The repository that it is a file of.
    pub repository: Option<RepositoryId>,
    /// The folder that it is in; none is the repository itself.
    pub folder: Option<FolderId>,
    /// What the client or the site calls it.
    pub name: String,
    /// Where it is from, if that is an address.
    pub url: Option<String>,
    /// What its bytes are.
    pub media_type: String,
    /// The SHA-256 of the file, by which the store of blobs has it. A page is not kept as a file.
    pub blob: Option<[u8; 32]>,
    /// How many bytes it has.
    pub bytes: u64,
    /// What is known of it, for filters.
    pub metadata: Map<String, Value>,
    /// How far it is.
    pub status: DocumentStatus,
    /// Why it failed, for a person.
    pub error: Option<String>,
    /// What it calls itself.
    pub title: Option<String>,
    /// How many pages it has, if it has any.
    pub pages: Option<u32>,
    /// How many passages it was cut into.
    pub chunks: u64,
    /// When it was made.
    pub created: Timestamp,
    /// When it last changed.
    pub updated: Timestamp,
}

/// How far a document is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DocumentStatus {
    /// A job reads and embeds it, or will.
    Processing,
    /// It can be found.
    Ready,
    /// It cannot; there is a reason.
    Failed,
    /// Somebody stopped that.
    Cancelled,
}

words!(DocumentStatus, "status of a document":
    Processing => "processing", Ready => "ready", Failed => "failed", Cancelled => "cancelled");

impl Audited for Document {
    const KIND: &'static str = "file";

    fn number(&self) -> i64 {
        self.id.get()
    }

    fn title(&self) -> &str {
        &self.name
    }

    fn facts(&self) -> Facts {
        Facts::new()
            .with("name", &self.name)
            .with("repository_id", self.repository)
            .with("folder_id", self.folder)
            .with("media_type", &self.media_type)
            .with("bytes", self.bytes)
    }
}
