use std::sync::Arc;
use std::time::Duration;

use omni_api_public::PublicState;
use omni_api_workspace::{Environment, Services};
use omni_blobs::Blobs;
use omni_documents::{Chunker, Ocr, PageDrawer, Parser};
use omni_domain::{Clock, Entropy};
use omni_egress::Egress;
use omni_http::TrustedProxies;
use omni_identity::{Accounts, Identity, Mode, SessionLimits};
use omni_knowledge::{Knowledge, Parts};
use omni_models::Models;
use omni_persistence::{Runner, Store, StoreDirectory};
use omni_qdrant::Qdrant;
use omni_rbac::{Authority, Omniadmins};
use omni_sealing::MasterKey;
use omni_turns::{Settings, Turns};
use omni_workspace::{AI_SERVICE_KEY, Workspace};
use url::Url;
use uuid::Uuid;

use crate::api::Served;
use crate::retriever::SiloRetriever;

/// How long a turn that has ended can still be read again.
const KEPT: Duration = Duration::from_secs(300);
/// The most turns that one process runs at once.
const MOST_TURNS: usize = 5_000;

/// What the services are made of.
pub struct Assembly {
    /// The database, migrated.
    pub store: Store,
    /// The models of all providers.
    pub models: Models,
    /// What seals secrets.
    pub key: MasterKey,
    /// Where the time comes from.
    pub clock: Arc<dyn Clock>,
    /// Where randomness comes from.
    pub entropy: Arc<dyn Entropy>,
    /// Who outranks everyone.
    pub omniadmins: Omniadmins,
    /// How people sign in.
    pub mode: Mode,
    /// Where a proxy says that this server is.
    pub public_url: Option<Url>,
    /// How long sessions last.
    pub limits: SessionLimits,
    /// Whose word is taken for where a request comes from.
    pub proxies: TrustedProxies,
    /// What reads files and keeps them.
    pub library: Library,
}

/// What reads files and keeps them.
pub struct Library {
    /// The files.
    pub blobs: Blobs,
    /// What reads them.
    pub parser: Parser,
    /// What reads pictures, if that is installed.
    pub ocr: Option<Ocr>,
    /// What draws pages of PDF files for models that see, if that is installed.
    pub drawer: Option<PageDrawer>,
    /// Where vectors are that are not in PostgreSQL.
    pub qdrant: Option<Qdrant>,
    /// The way out to web sites.
    pub egress: Egress,
    /// The most bytes of one uploaded file.
    pub upload_limit: u64,
}

/// Puts the services together. Must be called on a runtime that outlives them.
///
/// # Errors
/// If the database is away.
pub async fn assemble(parts: Assembly) -> anyhow::Result<Served> {
    let Assembly { store, models, key, clock, entropy, omniadmins, mode, public_url, limits, proxies, library } = parts;
    let environment = match mode {
        Mode::Fake { .. } => Environment::Development,
        Mode::OpenId { .. } => Environment::Production,
    };
    let mut runner = [0; 16];
    entropy.fill(&mut runner);
    let settings =
        Settings { runner: Runner(Uuid::from_bytes(runner)), most: MOST_TURNS, kept: KEPT, key_column: AI_SERVICE_KEY };
    let (directory, refusals) = StoreDirectory::new(store.clone());
    #[expect(clippy::disallowed_methods, reason = "the one mint of this process")]
    let authority = Arc::new(Authority::new(Arc::new(directory), omniadmins.clone(), Arc::clone(&clock)));
    let has_qdrant = library.qdrant.is_some();
    let knowledge = Arc::new(Knowledge::new(Parts {
        store: store.clone(),
        models: models.clone(),
        key: key.clone(),
        authority: Arc::clone(&authority),
        clock: Arc::clone(&clock),
        entropy: Arc::clone(&entropy),
        blobs: library.blobs,
        parser: library.parser,
        ocr: library.ocr,
        drawer: library.drawer,
        chunker: Chunker::default(),
        qdrant: library.qdrant,
        egress: library.egress,
        upload_limit: library.upload_limit,
        ai_service_key: AI_SERVICE_KEY,
        public_url: public_url.clone(),
    }));
    let watching = Arc::clone(&authority);
    let retriever = Arc::new(SiloRetriever(Arc::clone(&knowledge)));
    let (own_models, own_key, own_clock) = (models.clone(), key.clone(), Arc::clone(&clock));
    let turns = Turns::start(store.clone(), own_models, own_key, own_clock, watching, retriever, settings).await?;
    let identity = Identity::new(store.clone(), Arc::clone(&clock), Arc::clone(&entropy), limits, mode);
    let public = PublicState {
        authority: Arc::clone(&authority),
        guesses: identity.guesses().clone(),
        store: store.clone(),
        clock: Arc::clone(&clock),
        proxies: proxies.clone(),
    };
    let services = Services {
        authority,
        identity,
        accounts: Accounts::new(store.clone(), omniadmins),
        workspace: Workspace::new(store.clone(), models, key, clock, entropy).with_qdrant(has_qdrant),
        knowledge,
        turns,
        store,
        public_url,
        proxies,
        environment,
    };
    Ok(Served { services: Arc::new(services), public: Arc::new(public), refusals })
}
