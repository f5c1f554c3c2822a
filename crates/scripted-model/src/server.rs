use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket};
use tokio::task::JoinSet;

use crate::connection;
use crate::record::{NotSeen, Record, RecordedRequest, Tally};
use crate::script::Script;

/// How many connections may wait to be taken. A benchmark makes all of its connections at once, and one that finds no
/// place is tried again only after a second.
const BACKLOG: u32 = 4_096;

/// A running server. It stops, connections and all, when it is dropped.
#[derive(Debug)]
pub struct ScriptedModel {
    addr: SocketAddr,
    record: Arc<Record>,
    tasks: JoinSet<()>,
}

impl ScriptedModel {
    /// Starts a server on a free port of 127.0.0.1.
    ///
    /// # Errors
    /// When no port can be bound.
    pub async fn start() -> io::Result<Self> {
        Self::start_on(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await
    }

    /// Starts a server on this address.
    ///
    /// # Errors
    /// When the address cannot be bound.
    pub async fn start_on(addr: SocketAddr) -> io::Result<Self> {
        let listener = listen(addr)?;
        let addr = listener.local_addr()?;
        let record = Arc::new(Record::new());
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(listener, Arc::clone(&record)));
        Ok(Self { addr, record, tasks })
    }

    /// Where the server listens.
    #[must_use]
    pub const fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// `http://<address>/`. Below it: `v1/` for OpenAI, Mistral and Anthropic, `v1beta/` for Gemini, nothing for Azure
    /// and Ollama, anything for rerankers.
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("http://{}/", self.addr)
    }

    /// Plays `script` for requests that name `model`, whatever the name says otherwise.
    pub fn script(&self, model: impl Into<String>, script: Script) {
        self.script_in_turn(model, [script]);
    }

    /// Plays each of these scripts once, for one request that names `model` after the other, and the last one for ever.
    pub fn script_in_turn(&self, model: impl Into<String>, scripts: impl IntoIterator<Item = Script>) {
        self.record.teach(model.into(), scripts.into_iter().collect());
    }

    /// The requests so far, the oldest first. The server keeps some thousands.
    #[must_use]
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.record.requests()
    }

    /// What happened so far.
    #[must_use]
    pub fn tally(&self) -> Tally {
        *self.record.watch().borrow()
    }

    /// Waits until the tally fulfils `condition`.
    ///
    /// # Errors
    /// [`NotSeen`] when it did not `within` this time.
    pub async fn until(&self, within: Duration, condition: impl FnMut(&Tally) -> bool) -> Result<Tally, NotSeen> {
        let mut tally = self.record.watch();
        match tokio::time::timeout(within, tally.wait_for(condition)).await {
            Ok(Ok(seen)) => Ok(*seen),
            Ok(Err(_)) | Err(_) => Err(NotSeen { within, tally: self.tally() }),
        }
    }

    /// Serves until the process ends.
    pub async fn serve(mut self) {
        while self.tasks.join_next().await.is_some() {}
    }
}

fn listen(addr: SocketAddr) -> io::Result<TcpListener> {
    let socket = if addr.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    socket.bind(addr)?;
    socket.listen(BACKLOG)
}

/// Takes connections, and owns the task of each.
async fn accept(listener: TcpListener, record: Arc<Record>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    record.connected();
                    connections.spawn(connection::serve(stream, Arc::clone(&record)));
                }
                // Out of descriptors: those of connections that end become free again.
                Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}
