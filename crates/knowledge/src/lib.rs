//! Knowledge: from a file or a web site to a passage that can be cited.
//!
//! ```text
//!  file ─► blob ─► parse (a confined child) ─► cut ─► embed ─► index ─► search ─► passages
//!  site ─► fetch ─┘
//! ```
//!
//! [`Knowledge`] is the use cases. Whatever takes longer than a request is a durable job: it has stages and a lease, and
//! whoever finds a lease that ran out takes the job up again. Everything takes a grant; a job mints its own anew each time
//! it is taken up.

mod ai_service;
mod crawl;
mod diversity;
mod domains;
mod embed_anew;
mod embedder;
mod error;
mod files;
mod forgetting;
mod fusion;
mod index;
mod indexes;
mod ingest;
mod jobs;
mod knowledge;
mod ocr;
mod reading;
mod rerank;
mod search;
mod texts;
mod watch;
mod words;

pub use embedder::EMBEDDING_SERVICE_KEY;
pub use error::KnowledgeError;
pub use files::{Incoming, Received};
pub use jobs::JobReport;
pub use knowledge::{Knowledge, Parts};
pub use ocr::{Extracted, ExtractedPage};
pub use search::{Hit, MOST_HITS, Method, Query, Scores};
pub use texts::TextDraft;
pub use watch::{Unwatched, Watch};
