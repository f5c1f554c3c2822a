use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use omni_api_control::{ControlApi, ControlPlane, ROUTES, keep_leases};
use omni_http::{Dispatcher, Router, ServerOptions, Site, serve};
use tokio::task::JoinSet;

/// How long a stop waits for answers: a beat takes milliseconds.
const GRACE: Duration = Duration::from_secs(2);
/// The services of one machine, with room for people who look.
const CONNECTIONS: usize = 1_024;

/// The control plane on a socket, and the keeping of leases beside it.
#[derive(Debug)]
pub struct Control {
    address: SocketAddr,
    handle: ServerHandle,
    serving: JoinSet<std::io::Result<()>>,
    keeping: JoinSet<()>,
}

/// The table of the control plane as a router.
///
/// # Errors
/// If the table contradicts itself, which a test excludes.
pub(crate) fn router() -> anyhow::Result<Arc<Router<ControlApi>>> {
    Router::new(&[ROUTES]).map_err(anyhow::Error::msg)
}

impl Control {
    /// Serves until it is stopped, with one thread: what is asked here is little and small.
    ///
    /// # Errors
    /// If the socket cannot be served.
    pub fn start(socket: TcpListener, plane: Arc<ControlPlane>) -> anyhow::Result<Self> {
        let dispatcher = Dispatcher::new(router()?, Arc::clone(&plane), &*plane.entropy);
        let options = ServerOptions { workers: 1, grace: GRACE, connections: CONNECTIONS };
        let (server, handle, address) = serve(socket, Site::new(dispatcher), options)?;
        let (mut serving, mut keeping) = (JoinSet::new(), JoinSet::new());
        serving.spawn(server);
        keeping.spawn(async move { keep_leases(&plane).await });
        Ok(Self { address, handle, serving, keeping })
    }

    /// Where it is served.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops: the socket closes after the answers that are on their way, and nobody looks for leases that ran out any more.
    ///
    /// # Errors
    /// If serving had failed.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        self.handle.stop(true).await;
        self.keeping.shutdown().await;
        while let Some(served) = self.serving.join_next().await {
            served??;
        }
        Ok(())
    }
}
