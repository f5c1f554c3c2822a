use std::fmt;
use std::sync::Arc;

use omni_blobs::Blobs;
use omni_crawl::Pacer;
use omni_documents::{Chunker, Ocr, PageDrawer, Parser};
use omni_domain::{Clock, Entropy};
use omni_egress::Egress;
use omni_models::Models;
use omni_persistence::Store;
use omni_qdrant::Qdrant;
use omni_rbac::Authority;
use omni_sealing::MasterKey;
use tokio::sync::Notify;
use url::Url;

use crate::jobs::Bells;

/// What the use cases work with.
pub struct Parts {
    /// The database.
    pub store: Store,
    /// The models of all providers.
    pub models: Models,
    /// What seals secrets.
    pub key: MasterKey,
    /// The one mint of grants: a job has its own minted each time it is taken up.
    pub authority: Arc<Authority>,
    /// Where the time comes from.
    pub clock: Arc<dyn Clock>,
    /// Where randomness comes from.
    pub entropy: Arc<dyn Entropy>,
    /// Files, by what is in them.
    pub blobs: Blobs,
    /// What reads files.
    pub parser: Parser,
    /// What reads pictures, if that is installed.
    pub ocr: Option<Ocr>,
    /// What draws pages of PDF files for models that see, if that is installed.
    pub drawer: Option<PageDrawer>,
    /// What cuts texts.
    pub chunker: Chunker,
    /// Where silos of the type `QDRANT` have their vectors, if the operator configured a server.
    pub qdrant: Option<Qdrant>,
    /// The way out to web sites.
    pub egress: Egress,
    /// The most bytes of one uploaded file.
    pub upload_limit: u64,
    /// What the keys of AI services are sealed as.
    pub ai_service_key: &'static str,
    /// Where people reach this server, which a crawler tells the sites that it visits.
    pub public_url: Option<Url>,
}

/// The use cases of knowledge.
pub struct Knowledge {
    pub(crate) parts: Parts,
    /// Wakes the workers of this process when there is a new job.
    pub(crate) bells: Bells,
    /// Wakes the leases of this process when a job was cancelled or is gone.
    pub(crate) cancels: Notify,
    /// Wakes who removes the files of documents that are gone.
    pub(crate) forgotten_blobs: Notify,
    /// Wakes who has the Qdrant server forget the points of passages that are gone.
    pub(crate) forgotten_points: Notify,
    /// Politeness to web sites, whichever domain they are visited for.
    pub(crate) pacer: Arc<Pacer>,
}

impl fmt::Debug for Knowledge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Knowledge").field("store", &self.parts.store).finish_non_exhaustive()
    }
}

impl Knowledge {
    /// Puts the use cases on what they work with.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        Self {
            parts,
            bells: Bells::default(),
            cancels: Notify::const_new(),
            forgotten_blobs: Notify::const_new(),
            forgotten_points: Notify::const_new(),
            pacer: Arc::default(),
        }
    }
}
