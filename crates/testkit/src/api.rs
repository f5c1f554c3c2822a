use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use omni_api::{Api, ApiOptions, Assembly, Library, OperatingSystem, assemble, redirect_uri};
use omni_blobs::{BlobOptions, Blobs};
use omni_documents::{Ocr, OcrSettings, PageDrawer, ParseLimits, Parser};
use omni_domain::{Clock, Entropy, Role};
use omni_egress::{Allow, Egress, EgressPolicy};
use omni_http::TrustedProxies;
use omni_identity::{EmailTrust, Mode, SessionLimits};
use omni_models::{Deadlines, Models};
use omni_oidc::{RelyingParty, Settings};
use omni_qdrant::Qdrant;
use omni_rbac::Omniadmins;
use omni_sealing::MasterKey;
use omni_supervise::Supervisor;
use tokio::sync::oneshot;
use url::Url;

use crate::database::store;
use crate::{Client, FakeQdrant, ManualClock, TestDatabase};

/// What every [`TestApi`] seals secrets with.
pub const KEY: [u8; 32] = *b"a master key that only tests use";

/// `omni-api` in this process, on a free port, over a database of its own. It stops when it is dropped.
#[derive(Debug)]
pub struct TestApi {
    address: SocketAddr,
    database: Arc<TestDatabase>,
    clock: ManualClock,
    running: Option<Running>,
}

/// The thread that the server has to itself, so that it can be stopped from anywhere.
#[derive(Debug)]
struct Running {
    stop: oneshot::Sender<()>,
    thread: JoinHandle<()>,
}

/// A [`TestApi`] that is not what it usually is.
#[derive(Debug)]
#[must_use]
pub struct TestApiBuilder {
    database: Option<Arc<TestDatabase>>,
    clock: ManualClock,
    connections: usize,
    deadlines: Deadlines,
    issuer: Option<Issuer>,
    emails: EmailTrust,
    public_url: Option<Url>,
    grace: Duration,
    limits: SessionLimits,
    proxies: TrustedProxies,
    works: bool,
    reads_pictures: bool,
    qdrant: Option<String>,
    upload_limit: u64,
}

/// An identity provider, as an operator would configure it.
#[derive(Debug, Clone)]
pub struct Issuer {
    /// How it names itself.
    pub url: String,
    /// Who the API is to it.
    pub client_id: String,
    /// What proves it.
    pub client_secret: String,
}

impl Issuer {
    /// One that nobody can reach.
    #[must_use]
    pub fn nowhere() -> Self {
        let (client_id, client_secret) = ("omni".to_owned(), "secret".to_owned());
        Self { url: "https://id.invalid".to_owned(), client_id, client_secret }
    }
}

impl TestApi {
    /// Starts the usual one.
    ///
    /// # Panics
    /// If it does not start.
    pub async fn start() -> Self {
        Self::builder().start().await
    }

    /// FAKE mode as `dev@example.com`, `omniadmin@example.com` outranking everyone, a clock that stands still, provider
    /// requests to this machine allowed and cut after ten seconds, sessions of twelve hours, busy or not, no grace at the end,
    /// and nobody who works on jobs.
    pub fn builder() -> TestApiBuilder {
        let patience = Duration::from_secs(10);
        TestApiBuilder {
            database: None,
            clock: ManualClock::default(),
            connections: 6,
            deadlines: Deadlines { first_byte: patience, idle: patience, total: patience },
            issuer: None,
            emails: EmailTrust::Verified,
            public_url: None,
            grace: Duration::ZERO,
            limits: SessionLimits { lifetime: time::Duration::hours(12), idle: time::Duration::hours(12) },
            proxies: TrustedProxies::default(),
            works: false,
            reads_pictures: false,
            qdrant: None,
            upload_limit: 100_000_000,
        }
    }

    /// Where it is.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// What it stores.
    #[must_use]
    pub const fn database(&self) -> &Arc<TestDatabase> {
        &self.database
    }

    /// What it takes for the time.
    #[must_use]
    pub const fn clock(&self) -> &ManualClock {
        &self.clock
    }

    /// Somebody who is signed in; the account is made if there is none.
    pub async fn client(&self, email: &str) -> Client {
        Client::signed_in(self.base(), email).await
    }

    /// Somebody who is not.
    #[must_use]
    pub fn anonymous(&self) -> Client {
        Client::anonymous(self.base())
    }

    fn base(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Makes somebody a member of an app, as if they had accepted an invitation.
    ///
    /// # Panics
    /// If they are one already.
    pub async fn make_member(&self, app: i64, client: &Client, role: Role) {
        let now = self.clock.now();
        self.database
            .sql()
            .await
            .execute(
                &format!(
                    "INSERT INTO collaborations (app_id, user_id, email, role, status, invited_at, accepted_at) \
                     VALUES ($1, $2, $3, $4, 'accepted', '{now}', '{now}')"
                ),
                &[&app, &client.user_id, &client.email, &role.as_str()],
            )
            .await
            .unwrap();
    }

    /// Stops it, and waits until it has. Dropping does the same.
    pub fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        if let Some(Running { stop, thread }) = self.running.take() {
            drop(stop);
            // A server that failed has said so.
            let _ = thread.join();
        }
    }
}

impl Drop for TestApi {
    fn drop(&mut self) {
        self.end();
    }
}

impl TestApiBuilder {
    /// Over a database that something else has used or will use.
    pub fn database(self, database: &Arc<TestDatabase>) -> Self {
        Self { database: Some(Arc::clone(database)), ..self }
    }

    /// By another clock.
    pub fn clock(self, clock: &ManualClock) -> Self {
        Self { clock: clock.clone(), ..self }
    }

    /// With at most so many connections to the database.
    pub fn connections(self, connections: usize) -> Self {
        Self { connections, ..self }
    }

    /// Waits for providers no longer than this: for the first byte, and for each further one.
    pub fn model_patience(self, patience: Duration) -> Self {
        Self { deadlines: Deadlines { first_byte: patience, idle: patience, ..self.deadlines }, ..self }
    }

    /// Outside FAKE mode, with an identity provider that is away.
    pub fn not_fake(self) -> Self {
        self.signs_in_by(&Issuer::nowhere())
    }

    /// Outside FAKE mode, with this identity provider.
    pub fn signs_in_by(self, issuer: &Issuer) -> Self {
        Self { issuer: Some(issuer.clone()), ..self }
    }

    /// Takes every address of the identity provider for proven.
    pub fn trusts_emails(self) -> Self {
        Self { emails: EmailTrust::Trusted, ..self }
    }

    /// With sessions that end when nobody uses them for so long.
    pub fn idle(self, idle: time::Duration) -> Self {
        Self { limits: SessionLimits { idle, ..self.limits }, ..self }
    }

    /// Behind a proxy at this address.
    ///
    /// # Panics
    /// If it is no address.
    pub fn public_url(self, url: &str) -> Self {
        Self { public_url: Some(Url::parse(url).unwrap()), ..self }
    }

    /// Gives running turns so long to end when it is stopped.
    pub fn grace(self, grace: Duration) -> Self {
        Self { grace, ..self }
    }

    /// Behind proxies on this machine, whose `X-Forwarded-For` is believed.
    pub fn behind_proxies(self) -> Self {
        let here = ["127.0.0.0/8", "::1/128"].map(|network| network.parse().unwrap());
        Self { proxies: TrustedProxies::new(here.to_vec()), ..self }
    }

    /// Works on jobs, too.
    pub fn working(self) -> Self {
        Self { works: true, ..self }
    }

    /// Takes files of at most so many bytes.
    pub fn upload_limit(self, bytes: u64) -> Self {
        Self { upload_limit: bytes, ..self }
    }

    /// With what reads pictures, if this machine has it.
    pub fn reading_pictures(self) -> Self {
        Self { reads_pictures: true, ..self }
    }

    /// With this Qdrant server.
    pub fn qdrant(self, server: &FakeQdrant) -> Self {
        Self { qdrant: Some(server.url()), ..self }
    }

    /// Starts it.
    ///
    /// # Panics
    /// If it does not start.
    pub async fn start(mut self) -> TestApi {
        let database = match self.database.take() {
            Some(database) => database,
            None => Arc::new(TestDatabase::new().await),
        };
        let (clock, url, blobs) = (self.clock.clone(), database.url().to_owned(), database.blobs().to_owned());
        let (ready, is_ready) = oneshot::channel();
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::spawn(move || self.serve(&url, blobs, ready, stopped));
        let address = is_ready.await.expect("the API starts");
        TestApi { address, database, clock, running: Some(Running { stop, thread }) }
    }

    fn serve(self, url: &str, blobs: PathBuf, ready: oneshot::Sender<SocketAddr>, stopped: oneshot::Receiver<()>) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        runtime.block_on(async {
            let options = ApiOptions { workers: 1, grace: self.grace, works: self.works };
            let socket = TcpListener::bind("127.0.0.1:0").unwrap();
            let assembly = self.assembly(url, blobs, socket.local_addr().unwrap()).await;
            let entropy = Arc::clone(&assembly.entropy);
            let served = assemble(assembly).await.unwrap();
            let api = Api::start(socket, served, &*entropy, options).unwrap();
            // Whoever asked may have been cancelled meanwhile.
            let _ = ready.send(api.address());
            let _ = stopped.await;
            api.stop().await.unwrap();
        });
    }

    async fn assembly(self, url: &str, blobs: PathBuf, address: SocketAddr) -> Assembly {
        let allow = Allow::parse("127.0.0.1/32").unwrap();
        let egress = Egress::new(EgressPolicy { allow, ..EgressPolicy::default() }).unwrap();
        let entropy: Arc<dyn Entropy> = Arc::new(OperatingSystem);
        let own_url = || Url::parse(&format!("http://{address}")).unwrap();
        let public_url = self.public_url.or_else(|| self.issuer.is_some().then(own_url));
        let mode = match self.issuer {
            None => Mode::Fake { user: "dev@example.com".to_owned() },
            Some(issuer) => {
                let settings = Settings {
                    issuer: issuer.url,
                    client_id: issuer.client_id,
                    client_secret: issuer.client_secret.into(),
                    redirect_uri: redirect_uri(public_url.as_ref().unwrap()),
                };
                let provider = RelyingParty::new(settings, egress.clone(), Arc::new(self.clock.clone()));
                Mode::OpenId { provider: Box::new(provider), emails: self.emails }
            }
        };
        Assembly {
            store: store(url, self.connections),
            library: Library {
                ocr: pictures(self.reads_pictures).await,
                drawer: drawer(self.reads_pictures),
                qdrant: self.qdrant.map(|url| Qdrant::new(egress.clone(), &url, None).unwrap()),
                ..library(blobs, self.upload_limit, &self.clock, egress.clone()).await
            },
            models: Models::new(egress, self.deadlines).with_entropy(Arc::clone(&entropy)),
            key: MasterKey::new(&KEY),
            clock: Arc::new(self.clock),
            entropy,
            omniadmins: Omniadmins::new(["omniadmin@example.com".to_owned()]),
            mode,
            public_url,
            limits: self.limits,
            proxies: self.proxies,
        }
    }
}

/// What reads pictures, if that is wanted and installed.
async fn pictures(wanted: bool) -> Option<Ocr> {
    let supervisor = Supervisor::start(file_worker()).unwrap();
    if wanted { Ocr::find(&supervisor, &at_the_front()).await.ok() } else { None }
}

/// Tests wait for what is read, beside others that want a processor.
fn at_the_front() -> OcrSettings {
    OcrSettings { background: false, ..OcrSettings::default() }
}

/// What draws pages of PDF files, if that is wanted and installed.
fn drawer(wanted: bool) -> Option<PageDrawer> {
    let supervisor = Supervisor::start(file_worker()).unwrap();
    if wanted { PageDrawer::find(&supervisor, &at_the_front()).ok() } else { None }
}

/// What reads files and keeps them; nothing reads pictures.
async fn library(blobs: PathBuf, upload_limit: u64, clock: &ManualClock, egress: Egress) -> Library {
    let options = BlobOptions { max_bytes: upload_limit, ..BlobOptions::default() };
    // The tests share the machine with one another.
    let limits = ParseLimits {
        deadline: Duration::from_secs(180),
        processor_seconds: 60,
        background: false,
        ..ParseLimits::default()
    };
    let supervisor = Supervisor::start(file_worker()).unwrap();
    Library {
        blobs: Blobs::open(blobs, options, Arc::new(clock.clone())).await.unwrap(),
        parser: Parser::new(supervisor, limits).unwrap(),
        ocr: None,
        drawer: None,
        qdrant: None,
        egress,
        upload_limit,
    }
}

/// The program that reads files for the tests, whose `main` is not ours: an example of the workspace API's crate, which
/// cargo builds with its tests. Where it is missing, only what reads a file notices.
fn file_worker() -> PathBuf {
    let tests = std::env::current_exe().unwrap();
    let target = tests.parent().and_then(Path::parent).unwrap();
    target.join("examples").join("file_worker")
}
