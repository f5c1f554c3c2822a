//! A web server on loopback, and a visitor for it.

use std::{
    collections::HashMap,
    io::Write as _,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use flate2::{Compression, write::GzEncoder};
use omni_crawl::{Agent, CrawlPolicy, FetchLimits, Fetcher, FetcherParts, Pacer, PageUrl, Scope};
use omni_domain::{Clock, Timestamp};
use omni_egress::{Allow, Egress, EgressPolicy};
use time::macros::datetime;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

/// What a server does with a request.
#[derive(Clone)]
pub(crate) enum Answer {
    /// Sends these bytes and waits for the next request.
    Bytes(Vec<u8>),
    /// Sends these bytes, then one `x` after every pause, until the client leaves.
    Drip(Vec<u8>, Duration),
    /// Sends the first bytes, then the second over and over until the client leaves.
    Flood(Vec<u8>, Vec<u8>),
    /// Sends these bytes and closes the connection.
    Close(Vec<u8>),
}

/// An answer of a status, with headers (each ending in a line break) and a body.
pub(crate) fn answer(status: u16, headers: &str, body: &[u8]) -> Answer {
    let head = format!("HTTP/1.1 {status} Said\r\n{headers}Content-Length: {}\r\n\r\n", body.len());
    Answer::Bytes([head.as_bytes(), body].concat())
}

pub(crate) fn html(body: &str) -> Answer {
    answer(200, "Content-Type: text/html; charset=utf-8\r\n", body.as_bytes())
}

pub(crate) fn text(body: &str) -> Answer {
    answer(200, "Content-Type: text/plain\r\n", body.as_bytes())
}

pub(crate) fn redirect(location: &str) -> Answer {
    answer(302, &format!("Location: {location}\r\n"), b"")
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// The path of a request.
pub(crate) fn path(request: &str) -> &str {
    request.split(' ').nth(1).unwrap()
}

/// The value of a header of a request.
pub(crate) fn header<'a>(request: &'a str, name: &str) -> Option<&'a str> {
    request.lines().find_map(|line| {
        let (key, value) = line.split_once(": ")?;
        key.eq_ignore_ascii_case(name).then_some(value)
    })
}

/// An HTTP/1.1 server that keeps what it was asked.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
    _tasks: JoinSet<()>,
}

impl Server {
    /// Starts; `answer` is given the head of each request.
    pub(crate) async fn start(answer: impl Fn(&str) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (answer, seen) = (Arc::new(answer), Arc::clone(&requests));
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut open = JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                open.spawn(serve(stream, Arc::clone(&answer), Arc::clone(&seen)));
            }
        });
        Self { address, requests, _tasks: tasks }
    }

    /// Starts a site of these files; whatever else is asked for is not found.
    pub(crate) async fn of(files: impl IntoIterator<Item = (&'static str, Answer)>) -> Self {
        let files: HashMap<_, _> = files.into_iter().collect();
        Self::start(move |request| files.get(path(request)).cloned().unwrap_or_else(|| answer(404, "", b""))).await
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn page(&self, path: &str) -> PageUrl {
        PageUrl::parse(&self.url(path)).unwrap()
    }

    /// The heads of the requests so far.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }

    /// Their paths.
    pub(crate) fn paths(&self) -> Vec<String> {
        self.requests().iter().map(|request| path(request).to_owned()).collect()
    }

    /// A policy for this site that ignores `robots.txt`.
    pub(crate) fn policy(&self) -> CrawlPolicy {
        let seed_url = Some(self.url("/"));
        CrawlPolicy { seed_url, respect_robots_txt: false, rate_limit_rps: 10.0, ..CrawlPolicy::default() }
    }

    /// A visitor that ignores `robots.txt` and does not pause.
    pub(crate) fn fetcher(&self) -> Fetcher {
        Fetcher::new(self.parts(&self.policy()))
    }

    /// The parts of a visitor that does not pause and may reach nothing but this server.
    pub(crate) fn parts(&self, policy: &CrawlPolicy) -> FetcherParts {
        FetcherParts {
            egress: egress(&[self]),
            pacer: Arc::new(Pacer::new()),
            clock: Arc::new(Noon),
            scope: Arc::new(Scope::new(policy).unwrap()),
            pause: Duration::ZERO,
            agent: Agent::default(),
            limits: FetchLimits::default(),
        }
    }
}

pub(crate) fn egress(servers: &[&Server]) -> Egress {
    let list: Vec<String> = servers.iter().map(|server| server.address.to_string()).collect();
    Egress::new(EgressPolicy { allow: Allow::parse(&list.join(",")).unwrap(), ..EgressPolicy::default() }).unwrap()
}

/// A clock that stands still.
pub(crate) struct Noon;

pub(crate) const NOON: Timestamp = datetime!(2026-11-25 12:00 UTC);

impl Clock for Noon {
    fn now(&self) -> Timestamp {
        NOON
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
        if received.ends_with(b"\r\n\r\n") {
            return Some(String::from_utf8(received).unwrap());
        }
        if stream.read_buf(&mut received).await.ok()? == 0 {
            return None;
        }
    }
}
