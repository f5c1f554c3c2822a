//! A server that does what Qdrant does, as far as Omni asks it to: collections, indexes of the payload, points, counts,
//! deletions and cosine search with filters. Paths, statuses and bodies are those of Qdrant's REST API
//! (<https://api.qdrant.tech>); the search is exact.

mod conditions;
mod exchange;
mod store;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use exchange::{Asked, Reply};
use store::Store;

/// A Qdrant of one's own on a free port of loopback. It stops when it is dropped.
#[derive(Debug)]
pub struct FakeQdrant {
    address: String,
    state: Arc<Mutex<State>>,
    _serving: JoinSet<()>,
}

/// A way not to answer as Qdrant does. Each holds for one request.
#[derive(Debug, Clone)]
pub enum Mishap {
    /// The connection is closed without an answer.
    Drop,
    /// No answer ever comes.
    Silence,
    /// This status with this content type and body.
    Answer(u16, &'static str, Vec<u8>),
    /// Half of an answer, and then the end.
    CutOff,
}

/// What the server was asked.
#[derive(Debug, Clone)]
pub struct QdrantRequest {
    /// Method and target, such as `PUT /collections/a/points?wait=true`.
    pub line: String,
    /// The `api-key` header.
    pub api_key: Option<String>,
    /// The body, or null if there was none.
    pub body: Value,
}

#[derive(Debug, Default)]
struct State {
    api_key: Option<String>,
    store: Store,
    mishaps: VecDeque<Mishap>,
    requests: Vec<QdrantRequest>,
}

impl FakeQdrant {
    /// Starts one that asks for no key.
    pub async fn start() -> Self {
        Self::start_with(State::default()).await
    }

    /// Starts one that asks for this key.
    pub async fn start_with_key(api_key: &str) -> Self {
        Self::start_with(State { api_key: Some(api_key.to_owned()), ..State::default() }).await
    }

    async fn start_with(state: State) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let state = Arc::new(Mutex::new(state));
        let mut serving = JoinSet::new();
        serving.spawn(serve(listener, Arc::clone(&state)));
        Self { address, state, _serving: serving }
    }

    /// Its `host:port`, as the operator's allow-list has it.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Its URL.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Has the next request that has none yet end so.
    ///
    /// # Panics
    /// If a test that failed has left it in disorder.
    pub fn next(&self, mishap: Mishap) {
        self.state.lock().unwrap().mishaps.push_back(mishap);
    }

    /// What it was asked so far.
    ///
    /// # Panics
    /// If a test that failed has left it in disorder.
    #[must_use]
    pub fn requests(&self) -> Vec<QdrantRequest> {
        self.state.lock().unwrap().requests.clone()
    }

    /// How many points a collection has, whosever they are; `None` if there is no such collection.
    ///
    /// # Panics
    /// If a test that failed has left it in disorder.
    #[must_use]
    pub fn points(&self, collection: &str) -> Option<usize> {
        self.state.lock().unwrap().store.points(collection)
    }
}

impl FakeQdrant {
    /// How many points there are in all collections.
    ///
    /// # Panics
    /// If a test that failed has left it in disorder.
    #[must_use]
    pub fn all_points(&self) -> usize {
        self.state.lock().unwrap().store.all_points()
    }
}

async fn serve(listener: TcpListener, state: Arc<Mutex<State>>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        connections.spawn(converse(stream, Arc::clone(&state)));
    }
}

async fn converse(mut stream: TcpStream, state: Arc<Mutex<State>>) {
    // Whoever asked may have gone away.
    while let Ok(Some(asked)) = exchange::read(&mut stream).await {
        let answer = state.lock().unwrap().answer(&asked);
        let written = match answer {
            Ok(reply) => exchange::write(&mut stream, &reply).await,
            Err(mishap) => exchange::go_wrong(&mut stream, mishap).await,
        };
        if written.is_err() {
            return;
        }
    }
}

impl State {
    fn answer(&mut self, asked: &Asked) -> Result<Reply, Mishap> {
        let body = serde_json::from_slice(&asked.body);
        self.requests.push(QdrantRequest {
            line: format!("{} {}", asked.method, asked.target),
            api_key: asked.api_key.clone(),
            body: body.as_ref().map_or(Value::Null, Value::clone),
        });
        if let Some(mishap) = self.mishaps.pop_front() {
            return Err(mishap);
        }
        let path = asked.target.split('?').next().unwrap_or_default();
        match (path, self.refusal(asked)) {
            ("/healthz", _) => return Ok(Reply::text(200, "healthz check passed")),
            ("/livez", _) => return Ok(Reply::text(200, "livez check passed")),
            ("/readyz", _) => return Ok(Reply::text(200, "all shards are ready")),
            (_, Some(refusal)) => return Ok(refusal),
            _ => {}
        }
        let body = match body {
            Ok(body) => body,
            Err(_) if asked.body.is_empty() => Value::Null,
            Err(error) => return Ok(Reply::error(400, &format!("Format error in JSON body: {error}"))),
        };
        let segments: Vec<&str> = path.trim_matches('/').split('/').collect();
        let waits = asked.target.contains("wait=true");
        Ok(match self.store.route(&asked.method, &segments, &body, waits) {
            Ok(result) => Reply::json(200, &json!({ "result": result, "status": "ok", "time": 0.000_1 })),
            Err(refusal) => refusal.reply(),
        })
    }

    /// As Qdrant words it, in plain text.
    fn refusal(&self, asked: &Asked) -> Option<Reply> {
        let wanted = self.api_key.as_ref()?;
        match &asked.api_key {
            Some(given) if given == wanted => None,
            Some(_) => Some(Reply::text(401, "Invalid API key or JWT")),
            None => Some(Reply::text(401, "Must provide an API key or an Authorization bearer token")),
        }
    }
}
