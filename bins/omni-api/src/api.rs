use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_web::dev::ServerHandle;
use omni_api_public::{PublicApi, PublicState};
use omni_api_workspace::{ROUTES, Services, WorkspaceApi};
use omni_domain::Entropy;
use omni_http::{Dispatcher, Router, ServerOptions, Site, serve};
use omni_persistence::Refusals;
use tokio::task::JoinHandle;

use crate::jobs::Jobs;
use crate::trail::Trail;

/// How long answers have to be sent to their end once the turns have ended, however much of the grace those took.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// How the API is served.
#[derive(Debug, Clone, Copy)]
pub struct ApiOptions {
    /// How many threads serve.
    pub workers: usize,
    /// How long a stop waits for turns and answers that are on their way, all together.
    pub grace: Duration,
    /// Whether this process works on jobs, too, and not only asks for them.
    pub works: bool,
}

/// The workspace and the public API on a socket.
#[derive(Debug)]
pub struct Api {
    address: SocketAddr,
    services: Arc<Services>,
    handle: ServerHandle,
    serving: JoinHandle<std::io::Result<()>>,
    jobs: Option<Jobs>,
    trail: Trail,
    grace: Duration,
}

/// The table of the workspace API as a router.
///
/// # Errors
/// If the table contradicts itself, which a test excludes.
pub(crate) fn router() -> anyhow::Result<Arc<Router<WorkspaceApi>>> {
    Router::new(&[ROUTES]).map_err(anyhow::Error::msg)
}

/// The table of the public API as a router.
///
/// # Errors
/// If the table contradicts itself, which a test excludes.
pub(crate) fn public_router() -> anyhow::Result<Arc<Router<PublicApi>>> {
    Router::new(&[omni_api_public::ROUTES]).map_err(anyhow::Error::msg)
}

/// What an API on a socket serves.
#[derive(Debug)]
pub struct Served {
    /// What the workspace API works with.
    pub services: Arc<Services>,
    /// What the public API works with.
    pub public: Arc<PublicState>,
    /// Whom either refuses.
    pub refusals: Refusals,
}

impl Api {
    /// Serves until it is stopped.
    ///
    /// # Errors
    /// If the socket cannot be served.
    pub fn start(
        socket: TcpListener,
        served: Served,
        entropy: &dyn Entropy,
        options: ApiOptions,
    ) -> anyhow::Result<Self> {
        let Served { services, public, refusals } = served;
        let workspace = Dispatcher::new(router()?, Arc::clone(&services), entropy);
        let public = Dispatcher::new(public_router()?, public, entropy);
        let site = Site::new(workspace).with(&["/public", "/docs/public"], &public);
        let connections = 25_000;
        let server = ServerOptions { workers: options.workers, grace: options.grace, connections };
        let (server, handle, address) = serve(socket, site, server)?;
        #[expect(clippy::disallowed_methods, reason = "owned by this struct, which waits for it in `stop`")]
        let serving = tokio::spawn(server);
        let jobs = options.works.then(|| Jobs::start(&services.knowledge));
        let trail = Trail::start(refusals);
        Ok(Self { address, services, handle, serving, jobs, trail, grace: options.grace })
    }

    /// Where it is served.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// What it serves.
    #[must_use]
    pub const fn services(&self) -> &Arc<Services> {
        &self.services
    }

    /// Stops: no turn begins any more, `/readyz` says so, and what is on its way has the grace to end; then the socket
    /// closes. When this answers, everything that anybody was told is stored.
    ///
    /// # Errors
    /// If serving had failed.
    pub async fn stop(self) -> anyhow::Result<()> {
        let begun = Instant::now();
        if let Some(jobs) = self.jobs {
            jobs.stop().await;
        }
        self.services.turns.stop(self.grace).await;
        let left = self.grace.saturating_sub(begun.elapsed()).max(LAST_WORDS);
        if tokio::time::timeout(left, self.handle.stop(true)).await.is_err() {
            tracing::info!("closing the connections that are still open");
            self.serving.abort();
        }
        let served = self.serving.await;
        // Nobody is refused any more.
        self.trail.stop().await;
        match served {
            Err(error) if error.is_cancelled() => Ok(()),
            served => Ok(served??),
        }
    }
}
