use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use crate::Script;

/// How many requests are kept; older ones are forgotten, so that a long benchmark does not grow.
const KEPT_REQUESTS: usize = 4_096;

/// A request as it came in, key and all.
#[derive(Clone)]
pub struct RecordedRequest {
    /// `POST`, `GET`, …
    pub method: String,
    /// The path with its query, as sent.
    pub path: String,
    /// The headers in the order sent, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl RecordedRequest {
    /// The value of a header, named in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The body as JSON; `null` if it is none.
    #[must_use]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

impl fmt::Debug for RecordedRequest {
    /// Without the headers' values: one of them is a key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.headers.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("RecordedRequest")
            .field("method", &self.method)
            .field("path", &self.path)
            .field("headers", &names)
            .field("body", &String::from_utf8_lossy(&self.body))
            .finish()
    }
}

/// What happened so far. A request is counted in `started` at once, and as completed or cancelled when it is over.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Connections that were made.
    pub connections: u64,
    /// Requests that were read.
    pub started: u64,
    /// Scripts that were played to their end, errors included.
    pub completed: u64,
    /// Clients that closed the connection before the end.
    pub cancelled: u64,
}

/// What a test waited for did not happen in time.
#[derive(Debug, thiserror::Error)]
#[error("not seen within {within:?}; by then {tally:?}")]
pub struct NotSeen {
    /// How long it was waited for.
    pub within: Duration,
    /// What was seen by then.
    pub tally: Tally,
}

/// What the server's tasks share with its owner.
#[derive(Debug)]
pub(crate) struct Record {
    requests: Mutex<VecDeque<RecordedRequest>>,
    /// Each model's scripts, the next one first.
    scripts: Mutex<HashMap<String, VecDeque<Script>>>,
    tally: watch::Sender<Tally>,
}

impl Record {
    pub(crate) fn new() -> Self {
        Self { requests: Mutex::default(), scripts: Mutex::default(), tally: watch::Sender::default() }
    }

    pub(crate) fn started(&self, request: RecordedRequest) {
        let mut requests = lock(&self.requests);
        if requests.len() == KEPT_REQUESTS {
            requests.pop_front();
        }
        requests.push_back(request);
        drop(requests);
        self.tally.send_modify(|tally| tally.started += 1);
    }

    pub(crate) fn connected(&self) {
        self.tally.send_modify(|tally| tally.connections += 1);
    }

    pub(crate) fn completed(&self) {
        self.tally.send_modify(|tally| tally.completed += 1);
    }

    pub(crate) fn cancelled(&self) {
        self.tally.send_modify(|tally| tally.cancelled += 1);
    }

    pub(crate) fn requests(&self) -> Vec<RecordedRequest> {
        lock(&self.requests).iter().cloned().collect()
    }

    pub(crate) fn teach(&self, model: String, scripts: VecDeque<Script>) {
        lock(&self.scripts).insert(model, scripts);
    }

    /// The script that was given for this model, else the one that its name says.
    pub(crate) fn script_for(&self, model: &str) -> Option<Script> {
        let mut scripts = lock(&self.scripts);
        match scripts.get_mut(model) {
            Some(in_turn) if in_turn.len() > 1 => in_turn.pop_front(),
            Some(in_turn) if !in_turn.is_empty() => in_turn.front().cloned(),
            _ => Script::named(model),
        }
    }

    pub(crate) fn watch(&self) -> watch::Receiver<Tally> {
        self.tally.subscribe()
    }
}

/// Nothing behind these locks can be left half done, so a panic elsewhere does not spoil them.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
