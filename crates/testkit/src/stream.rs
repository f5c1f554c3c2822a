use std::fmt;

use bytes::Bytes;
use futures::StreamExt;
use futures::stream::BoxStream;
use reqwest::header::HeaderMap;
use serde_json::Value;

use crate::PATIENCE;

/// One event of a stream.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// Its number.
    pub id: u64,
    /// What it says.
    pub data: Value,
}

impl Event {
    /// What kind of event it is.
    #[must_use]
    pub fn kind(&self) -> &str {
        self.data["type"].as_str().unwrap()
    }
}

/// A stream of server-sent events. Dropping it closes the connection.
pub struct Events {
    asked: String,
    headers: HeaderMap,
    bytes: BoxStream<'static, reqwest::Result<Bytes>>,
    unread: String,
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Events").field("asked", &self.asked).finish_non_exhaustive()
    }
}

impl Events {
    pub(crate) async fn of(asked: String, response: reqwest::Response) -> Self {
        let (status, headers) = (response.status(), response.headers().clone());
        let is_stream = headers.get("content-type").is_some_and(|value| value == "text/event-stream");
        if !status.is_success() || !is_stream {
            panic!("{asked} answered {status}, not a stream: {}", response.text().await.unwrap_or_default());
        }
        Self { asked, headers, bytes: response.bytes_stream().boxed(), unread: String::new() }
    }

    /// The value of a header of the answer.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// The next event; nothing at the end. Comments are passed over.
    ///
    /// # Panics
    /// If the stream breaks, is silent for too long, or has what is no event.
    pub async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some((frame, rest)) = self.unread.split_once("\n\n") {
                let event = parse(frame);
                self.unread = rest.to_owned();
                match event {
                    Some(event) => return Some(event),
                    None => continue,
                }
            }
            let next = tokio::time::timeout(PATIENCE, self.bytes.next());
            match next.await.unwrap_or_else(|_| panic!("{} was silent for {PATIENCE:?}", self.asked)) {
                Some(bytes) => self.unread.push_str(std::str::from_utf8(&bytes.unwrap()).expect("frames end in whole")),
                None => {
                    assert_eq!(self.unread, "", "{} ended in the middle of an event", self.asked);
                    return None;
                }
            }
        }
    }

    /// The next event of a kind, passing over all others.
    ///
    /// # Panics
    /// If the stream ends before.
    pub async fn next_of(&mut self, kind: &str) -> Event {
        loop {
            let event = self.next().await.unwrap_or_else(|| panic!("{} ended without `{kind}`", self.asked));
            if event.kind() == kind {
                return event;
            }
        }
    }

    /// All that is left, to the end.
    pub async fn rest(mut self) -> Vec<Event> {
        let mut events = Vec::new();
        while let Some(event) = self.next().await {
            events.push(event);
        }
        events
    }

    /// Waits for the end, whatever comes before it.
    pub async fn ends(mut self) {
        while let Some(Ok(_)) = self.bytes.next().await {}
    }
}

fn parse(frame: &str) -> Option<Event> {
    if frame.lines().all(|line| line.starts_with(':')) {
        return None;
    }
    let field = |name: &str| frame.lines().find_map(|line| line.strip_prefix(name)).map(str::trim_start);
    let id = field("id:").and_then(|id| id.parse().ok()).unwrap_or_else(|| panic!("an event without an id: {frame}"));
    let data = field("data:").and_then(|data| serde_json::from_str(data).ok());
    Some(Event { id, data: data.unwrap_or_else(|| panic!("an event without data: {frame}")) })
}
