//! Resolving names, and admitting what they resolve to.

use std::{
    io,
    net::{SocketAddr, ToSocketAddrs},
    sync::Arc,
};

use futures::future::BoxFuture;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::sync::Semaphore;

use crate::{address::globally_reachable, allow::Allow};

/// How names become addresses. The system's way is [`SystemResolver`]; tests bring their own.
pub trait Resolver: Send + Sync + 'static {
    /// The addresses of `host`, a name in ASCII without a trailing dot. Their ports are ignored.
    ///
    /// # Errors
    /// What kept the name from being resolved; it is logged, never shown.
    fn lookup(&self, host: &str) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>>;
}

/// The resolver of the operating system (`getaddrinfo`).
///
/// A lookup blocks a thread until the name servers answer or give up, whether or not somebody still waits for it; so at
/// most 64 run at once, and a page full of names that do not answer cannot use up the threads of the program.
#[derive(Debug, Clone)]
pub struct SystemResolver {
    slots: Arc<Semaphore>,
}

impl Default for SystemResolver {
    fn default() -> Self {
        Self { slots: Arc::new(Semaphore::new(64)) }
    }
}

impl Resolver for SystemResolver {
    fn lookup(&self, host: &str) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>> {
        let slots = Arc::clone(&self.slots);
        let host = host.to_owned();
        Box::pin(async move {
            let slot = slots.acquire_owned().await.map_err(io::Error::other)?;
            tokio::task::spawn_blocking(move || {
                let _until_answered = slot;
                (host.as_str(), 0).to_socket_addrs().map(Iterator::collect)
            })
            .await
            .map_err(io::Error::other)?
        })
    }
}

/// The resolver inside every client: it hands out only addresses that passed, so a connection can go nowhere else.
pub(crate) struct AdmittingResolver {
    pub(crate) names: Arc<dyn Resolver>,
    pub(crate) allow: Arc<Allow>,
    /// The port that every connection of this client goes to, if it has only one. Without it, no entry of the
    /// allow-list that names a port applies.
    pub(crate) port: Option<u16>,
}

impl Resolve for AdmittingResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let host = name.as_str().to_owned();
        if host == NOWHERE {
            return Box::pin(std::future::ready(Err(NotAdmitted.into())));
        }
        let lookup = self.names.lookup(&host);
        let (allow, port) = (Arc::clone(&self.allow), self.port);
        Box::pin(async move {
            let found = lookup.await.map_err(LookupFailed)?;
            let admitted: Addrs = Box::new(admit(&allow, &host, port, &found)?.into_iter());
            Ok(admitted)
        })
    }
}

/// The host that a client is sent to in place of one it must not connect to. RFC 6761 reserves `.invalid`: no name in it
/// ever resolves.
pub(crate) const NOWHERE: &str = "not-admitted.invalid";

fn admit(
    allow: &Allow,
    host: &str,
    port: Option<u16>,
    found: &[SocketAddr],
) -> Result<Vec<SocketAddr>, Box<dyn std::error::Error + Send + Sync>> {
    if found.is_empty() {
        return Err(LookupFailed(io::ErrorKind::NotFound.into()).into());
    }
    let mut admitted = found.to_vec();
    admitted.retain(|address| globally_reachable(address.ip()) || allow.permits(Some(host), address.ip(), port));
    if admitted.is_empty() {
        tracing::warn!(host, addresses = ?found, "outgoing request refused: the name leads to no public address");
        return Err(NotAdmitted.into());
    }
    for address in &mut admitted {
        // A port here would take the place of the URL's default port.
        address.set_port(0);
    }
    Ok(admitted)
}

/// The address is neither public nor allowed.
#[derive(Debug, thiserror::Error)]
#[error("the address is neither public nor allowed")]
pub(crate) struct NotAdmitted;

/// The name has no address, or the name servers did not say.
#[derive(Debug, thiserror::Error)]
#[error("the lookup failed")]
pub(crate) struct LookupFailed(#[source] io::Error);
