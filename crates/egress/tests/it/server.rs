//! Servers on loopback: one that answers, one that must never be reached.

use std::{
    net::{IpAddr, SocketAddr},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinSet,
    time::timeout,
};

/// What a server does with a request.
#[derive(Clone)]
pub(crate) enum Answer {
    /// Sends these bytes and waits for the next request.
    Bytes(Vec<u8>),
    /// Sends these bytes, then one `x` after every pause, until the client leaves.
    Drip(Vec<u8>, Duration),
    /// Sends these bytes and then nothing.
    Stall(Vec<u8>),
    /// Sends these bytes over and over until the client leaves.
    Flood(Vec<u8>, Vec<u8>),
    /// Sends these bytes and closes the connection.
    Close(Vec<u8>),
}

/// `200 OK` with a body.
pub(crate) fn ok(body: &[u8]) -> Answer {
    ok_with("", body)
}

/// `200 OK` with more headers (each ending in a line break) and a body.
pub(crate) fn ok_with(headers: &str, body: &[u8]) -> Answer {
    let mut bytes = format!("HTTP/1.1 200 OK\r\n{headers}Content-Length: {}\r\n\r\n", body.len()).into_bytes();
    bytes.extend_from_slice(body);
    Answer::Bytes(bytes)
}

/// A redirect.
pub(crate) fn redirect(status: u16, location: &str) -> Answer {
    Answer::Bytes(
        format!("HTTP/1.1 {status} Elsewhere\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n").into_bytes(),
    )
}

/// An HTTP/1.1 server on loopback that keeps what it was asked.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    connections: Arc<AtomicUsize>,
    requests: Arc<Mutex<Vec<String>>>,
    _tasks: JoinSet<()>,
}

impl Server {
    /// Starts on 127.0.0.1; `answer` is given the head and body of each request.
    pub(crate) async fn start(answer: impl Fn(&str) -> Answer + Send + Sync + 'static) -> Self {
        Self::start_at("127.0.0.1:0", answer).await
    }

    pub(crate) async fn start_at(address: &str, answer: impl Fn(&str) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (answer, count, seen) = (Arc::new(answer), Arc::clone(&connections), Arc::clone(&requests));
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut open = JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                count.fetch_add(1, Ordering::SeqCst);
                open.spawn(serve(stream, Arc::clone(&answer), Arc::clone(&seen)));
            }
        });
        Self { address, connections, requests, _tasks: tasks }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// The requests so far, each its head and body.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

async fn serve(
    mut stream: TcpStream,
    answer: Arc<impl Fn(&str) -> Answer + Send + Sync + 'static>,
    seen: Arc<Mutex<Vec<String>>>,
) {
    while let Some(request) = read_request(&mut stream).await {
        let answer = answer(&request);
        seen.lock().unwrap().push(request);
        let written = match answer {
            Answer::Bytes(bytes) => stream.write_all(&bytes).await,
            Answer::Close(bytes) => {
                let _gone = stream.write_all(&bytes).await;
                return;
            }
            Answer::Stall(bytes) => {
                stream.write_all(&bytes).await.unwrap();
                std::future::pending().await
            }
            Answer::Drip(bytes, pause) => drip(&mut stream, &bytes, pause).await,
            Answer::Flood(bytes, again) => flood(&mut stream, &bytes, &again).await,
        };
        if written.is_err() {
            return;
        }
    }
}

async fn drip(stream: &mut TcpStream, first: &[u8], pause: Duration) -> std::io::Result<()> {
    stream.write_all(first).await?;
    let mut ticks = tokio::time::interval(pause);
    loop {
        ticks.tick().await;
        stream.write_all(b"x").await?;
    }
}

async fn flood(stream: &mut TcpStream, first: &[u8], again: &[u8]) -> std::io::Result<()> {
    stream.write_all(first).await?;
    loop {
        stream.write_all(again).await?;
    }
}

async fn read_request(stream: &mut TcpStream) -> Option<String> {
    let mut received = Vec::new();
    loop {
        if let Some(head) = received.windows(4).position(|window| window == b"\r\n\r\n") {
            let text = String::from_utf8_lossy(&received[..head]).to_ascii_lowercase();
            let length = text.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok());
            if received.len() >= head + 4 + length.unwrap_or(0) {
                return Some(String::from_utf8(received).unwrap());
            }
        }
        if stream.read_buf(&mut received).await.ok()? == 0 {
            return None;
        }
    }
}

/// Listeners that nothing may reach: one port, on every address of this machine that a test may be tricked into. Those
/// that are not loopback count only on a machine that has them, such as a network namespace made for the purpose.
pub(crate) struct Sentinel {
    pub(crate) port: u16,
    bound: Vec<IpAddr>,
    reached: Arc<Mutex<Vec<IpAddr>>>,
    _tasks: JoinSet<()>,
}

const GUARDED: [&str; 6] =
    ["127.0.0.1", "::1", "10.255.255.254", "169.254.169.254", "192.168.255.254", "fd00:ec2::254"];

impl Sentinel {
    pub(crate) async fn start() -> Self {
        let (port, listeners) = loop {
            if let Some(found) = bind_all().await {
                break found;
            }
        };
        let reached = Arc::new(Mutex::new(Vec::new()));
        let bound = listeners.iter().map(|listener| listener.local_addr().unwrap().ip()).collect();
        let mut tasks = JoinSet::new();
        for listener in listeners {
            let reached = Arc::clone(&reached);
            tasks.spawn(async move {
                let ip = listener.local_addr().unwrap().ip();
                loop {
                    let (_stream, _) = listener.accept().await.unwrap();
                    reached.lock().unwrap().push(ip);
                }
            });
        }
        Self { port, bound, reached, _tasks: tasks }
    }

    /// Fails if anything reached a listener. A connection of the test's own to each, which queues up behind whatever
    /// came before, shows that all of it was counted and that the listeners do count.
    pub(crate) async fn assert_untouched(&self) {
        for ip in &self.bound {
            TcpStream::connect((*ip, self.port)).await.unwrap();
        }
        let all = async {
            while self.reached.lock().unwrap().len() < self.bound.len() {
                tokio::task::yield_now().await;
            }
        };
        timeout(Duration::from_secs(10), all).await.expect("the sentinels count");
        let mut reached = self.reached.lock().unwrap().clone();
        let mut own = self.bound.clone();
        reached.sort_unstable();
        own.sort_unstable();
        assert_eq!(reached, own, "a sentinel was reached by more than the test itself");
        self.reached.lock().unwrap().clear();
    }
}

/// All guarded addresses at one free port, or `None` if the port is taken on one of them.
async fn bind_all() -> Option<(u16, Vec<TcpListener>)> {
    let first = TcpListener::bind((GUARDED[0], 0)).await.unwrap();
    let port = first.local_addr().unwrap().port();
    let mut listeners = vec![first];
    for ip in &GUARDED[1..] {
        match TcpListener::bind((*ip, port)).await {
            Ok(listener) => listeners.push(listener),
            Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => return None,
            Err(_) => {}
        }
    }
    Some((port, listeners))
}
