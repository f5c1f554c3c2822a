//! The connection pools.
//!
//! The resolver of a `reqwest` client learns the name to resolve but not the port it is for, and the allow-list speaks of
//! `host:port`. So there is one client for each port that the list names, whose resolver knows its port, and one client
//! for all other ports. That is a handful, made once; each keeps its connections alive by origin.
//!
//! Each client also carries its own gate: `reqwest` asks for a proxy before every connection, and the gate answers, for a
//! URL that must not be connected to from this client, with a proxy whose name never resolves. That covers what the
//! resolver is not asked for, an address written in a URL, even if the holder of a lent client forgets to check.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
    time::Duration,
};

use reqwest::{Client, Proxy, redirect};
use rustls::ClientConfig;
use rustls_platform_verifier::Verifier;

use crate::{
    allow::Allow,
    error::EgressError,
    names::{AdmittingResolver, NOWHERE, Resolver},
    policy::EgressPolicy,
    target,
};

/// Clients that share a purpose, by the port they connect to.
pub(crate) struct Clients {
    by_port: HashMap<u16, Client>,
    other_ports: Client,
}

/// How long connections of a client are kept, and who watches over silence.
#[derive(Clone, Copy)]
pub(crate) enum Purpose {
    /// Requests of [`Egress::send`](crate::Egress::send): mostly a few per host, with deadlines of their own.
    Fetch,
    /// Lent to a library that talks to the same few hosts again and again and may know no deadlines.
    Lent,
}

/// What all clients are made of.
pub(crate) struct Parts {
    pub(crate) policy: Arc<EgressPolicy>,
    pub(crate) allow: Arc<Allow>,
    pub(crate) names: Arc<dyn Resolver>,
    pub(crate) tls: ClientConfig,
}

/// The ports that one client connects to.
#[derive(Clone)]
enum Ports {
    Only(u16),
    AllBut(Arc<BTreeSet<u16>>),
}

impl Ports {
    fn contains(&self, port: u16) -> bool {
        match self {
            Self::Only(only) => *only == port,
            Self::AllBut(others) => !others.contains(&port),
        }
    }
}

impl Clients {
    pub(crate) fn new(parts: &Parts, purpose: Purpose) -> Result<Self, EgressError> {
        let ports = Arc::new(parts.allow.ports());
        let by_port = ports
            .iter()
            .map(|&port| Ok((port, parts.client(purpose, Ports::Only(port))?)))
            .collect::<Result<_, EgressError>>()?;
        Ok(Self { by_port, other_ports: parts.client(purpose, Ports::AllBut(ports))? })
    }

    pub(crate) fn for_port(&self, port: u16) -> &Client {
        self.by_port.get(&port).unwrap_or(&self.other_ports)
    }
}

impl Parts {
    fn client(&self, purpose: Purpose, ports: Ports) -> Result<Client, EgressError> {
        let resolver = AdmittingResolver {
            names: Arc::clone(&self.names),
            allow: Arc::clone(&self.allow),
            port: if let Ports::Only(port) = ports { Some(port) } else { None },
        };
        #[expect(clippy::disallowed_methods, reason = "the one place where clients that leave the machine are made")]
        let builder = Client::builder()
            .no_proxy()
            .proxy(gate(Arc::clone(&self.allow), ports))
            .dns_resolver(Arc::new(resolver))
            .redirect(redirect::Policy::none())
            .referer(false)
            .user_agent(&self.policy.user_agent)
            .connect_timeout(self.policy.connect)
            .tcp_nodelay(true)
            .tcp_keepalive(Duration::from_secs(30))
            .tls_backend_preconfigured(self.tls.clone());
        let builder = match purpose {
            // A crawl visits thousands of hosts; idle connections to each would be most of the program's memory.
            Purpose::Fetch => builder.pool_idle_timeout(Duration::from_secs(10)).pool_max_idle_per_host(4),
            // Longer than most pauses between the turns of a chat.
            Purpose::Lent => builder
                .pool_idle_timeout(Duration::from_secs(90))
                .pool_max_idle_per_host(32)
                .http2_keep_alive_interval(Duration::from_secs(20))
                .read_timeout(self.policy.lent_silence),
        };
        builder.build().map_err(|error| EgressError::Setup { source: error.into() })
    }
}

fn gate(allow: Arc<Allow>, ports: Ports) -> Proxy {
    Proxy::custom(move |url| {
        let admitted = target::check(&allow, url).is_ok_and(|port| ports.contains(port));
        (!admitted).then(|| format!("http://{NOWHERE}"))
    })
}

/// The TLS of every client: ring, the system's trust store, HTTP/2 where the server speaks it.
pub(crate) fn tls(policy: &EgressPolicy) -> Result<ClientConfig, EgressError> {
    let failed = |error: rustls::Error| EgressError::Setup { source: error.into() };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier =
        Verifier::new_with_extra_roots(policy.extra_roots.iter().cloned(), Arc::clone(&provider)).map_err(failed)?;
    let mut tls = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(failed)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(tls)
}
