use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use crate::silo::words;
use crate::{AppId, DocumentId, DomainId, JobId, SiloId, Timestamp, UserId};

/// Work that outlives its request, as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// The job's number.
    pub id: JobId,
    /// The app that it is done for.
    pub app: AppId,
    /// What there is to do.
    pub work: Work,
    /// How far it is.
    pub status: JobStatus,
    /// What is being done, in a word.
    pub stage: Option<String>,
    /// How much of the stage is done.
    pub done: u64,
    /// Out of how much, if that is known.
    pub total: Option<u64>,
    /// How often it was taken up.
    pub attempts: u32,
    /// Why it failed, or why it is tried again, for a person.
    pub error: Option<String>,
    /// What it came to: counts by name.
    pub tally: BTreeMap<String, u64>,
    /// Who asked for it; none if it was due by itself.
    pub asked_by: Option<UserId>,
    /// When it was asked for.
    pub created: Timestamp,
    /// When it was first taken up.
    pub started: Option<Timestamp>,
    /// When it ended.
    pub finished: Option<Timestamp>,
}

/// What there is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// To read a document, cut it, embed it and make it found.
    Ingest(DocumentId),
    /// To visit a domain.
    Crawl(DomainId),
    /// To embed a silo anew.
    Embed(SiloId),
}

impl Work {
    /// The kind of [`Work::Ingest`].
    pub const INGEST: &'static str = "ingest";
    /// The kind of [`Work::Crawl`].
    pub const CRAWL: &'static str = "crawl";
    /// The kind of [`Work::Embed`].
    pub const EMBED: &'static str = "embed";

    /// Its kind, as the database and the wire have it.
    #[must_use]
    pub const fn kind(self) -> &'static str {
        match self {
            Self::Ingest(_) => Self::INGEST,
            Self::Crawl(_) => Self::CRAWL,
            Self::Embed(_) => Self::EMBED,
        }
    }
}

/// How far a job is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobStatus {
    /// It waits for its turn, the first one or another one.
    Queued,
    /// Somebody works on it.
    Running,
    /// It is done.
    Done,
    /// It cannot be done.
    Failed,
    /// Somebody stopped it.
    Cancelled,
}

impl JobStatus {
    /// Whether it is over.
    #[must_use]
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Done | Self::Failed | Self::Cancelled)
    }
}

words!(JobStatus, "status of a job":
    Queued => "queued", Running => "running", Done => "done", Failed => "failed", Cancelled => "cancelled");
