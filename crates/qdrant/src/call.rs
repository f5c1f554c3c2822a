//! One exchange with the server: what is sent, how long it may take, how often it is tried, and how an answer is read.

use std::time::Duration;

use http::header::RETRY_AFTER;
use http::{HeaderName, Method, StatusCode};
use omni_egress::{Deadlines, Egress, EgressError, Redirects, Request, Response};
use secrecy::SecretString;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::time::{Instant, sleep};
use url::Url;

use crate::QdrantError;
use crate::error::Said;

const API_KEY: HeaderName = HeaderName::from_static("api-key");
/// How long to wait before each further try.
const PAUSES: [Duration; 2] = [Duration::from_millis(100), Duration::from_millis(400)];
/// The most bytes of an answer that says no: only its beginning is of interest.
const MOST_OF_A_REFUSAL: u64 = 64 * 1024;
/// So much of what the server said goes into the log, in characters.
const MOST_OF_A_QUOTE: usize = 300;

/// What a call may cost.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    /// For all tries together.
    pub(crate) deadline: Duration,
    /// The most bytes of the answer.
    pub(crate) most_bytes: u64,
}

/// Whether a call does the same if it is done twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Repeat {
    /// It does: it is tried again when the server is away.
    Idempotent,
    /// It does not.
    Once,
}

/// A call, ready to be made.
pub(crate) struct Call {
    pub(crate) request: Request,
    pub(crate) bounds: Bounds,
    pub(crate) repeat: Repeat,
}

/// Where the server is and how it is spoken to.
#[derive(Clone)]
pub(crate) struct Server {
    egress: Egress,
    base: Url,
    api_key: Option<SecretString>,
}

/// What every answer of the API is wrapped in.
#[derive(Deserialize)]
struct Envelope<T> {
    result: T,
    status: Value,
}

impl Server {
    pub(crate) fn new(egress: Egress, base_url: &str, api_key: Option<SecretString>) -> Result<Self, QdrantError> {
        let base = egress.parse(base_url).map_err(QdrantError::from)?;
        if base.query().is_some() || base.fragment().is_some() {
            return Err(QdrantError::BaseUrl { problem: "must end before `?` and `#`".to_owned() });
        }
        let server = Self { egress, base, api_key };
        // A key that no header can hold is known now rather than with the first search.
        server.request(Method::GET, &[], &[])?;
        Ok(server)
    }

    pub(crate) fn host(&self) -> &str {
        self.base.host_str().unwrap_or_default()
    }

    /// A request for this path below the base URL.
    pub(crate) fn request(
        &self,
        method: Method,
        path: &[&str],
        query: &[(&str, &str)],
    ) -> Result<Request, QdrantError> {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        // Whoever redirects is not the API, and must not be handed the key.
        let request = Request::new(method, url).redirects(Redirects::Return);
        match &self.api_key {
            Some(key) => request.secret_header(API_KEY, key).map_err(|_| QdrantError::KeyUnusable),
            None => Ok(request),
        }
    }

    /// Makes the call and reads the `result` of the answer.
    pub(crate) async fn call<T: DeserializeOwned>(&self, call: Call) -> Result<T, QdrantError> {
        self.repeatedly(&call, async |response| {
            let envelope: Envelope<T> = response.json().await?;
            if envelope.status != "ok" {
                return Err(QdrantError::malformed("its answer does not say that it is one"));
            }
            Ok(envelope.result)
        })
        .await
    }

    /// Makes the call and is content with its status.
    pub(crate) async fn call_for_status(&self, call: Call) -> Result<(), QdrantError> {
        self.repeatedly(&call, async |response| Ok(response.bytes().await.map(drop)?)).await
    }

    async fn repeatedly<T>(
        &self,
        call: &Call,
        read: impl AsyncFn(Response) -> Result<T, QdrantError>,
    ) -> Result<T, QdrantError> {
        let until = Instant::now() + call.bounds.deadline;
        let pauses: &[Duration] = if call.repeat == Repeat::Idempotent { &PAUSES } else { &[] };
        for pause in pauses {
            match self.attempt(call, until, &read).await {
                // A server that says when it is back is believed.
                Err(QdrantError::Unavailable { retry_after: None, .. }) => sleep(*pause).await,
                answered => return answered,
            }
        }
        self.attempt(call, until, &read).await
    }

    async fn attempt<T>(
        &self,
        call: &Call,
        until: Instant,
        read: &impl AsyncFn(Response) -> Result<T, QdrantError>,
    ) -> Result<T, QdrantError> {
        let left = until.saturating_duration_since(Instant::now());
        let deadlines = Deadlines { headers: left, idle: left, total: left };
        let request = call.request.clone().deadlines(deadlines).max_body(call.bounds.most_bytes);
        let response = self.egress.send(request).await?;
        if response.status().is_success() { read(response).await } else { Err(refusal(response).await) }
    }
}

/// What an answer that says no means.
async fn refusal(response: Response) -> QdrantError {
    let status = response.status();
    let retry_after = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
    if matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
        return QdrantError::CredentialsRefused;
    }
    let said = match said(response).await {
        Ok(said) => said,
        // The status says enough.
        Err(error) => format!("{status}, and then: {error}"),
    };
    if let Some(error) = wrong_dimensions(&said) {
        return error;
    }
    let source = Said(said).into();
    match status {
        StatusCode::NOT_FOUND => QdrantError::NoCollection,
        StatusCode::REQUEST_TIMEOUT => QdrantError::TimedOut { source },
        StatusCode::INSUFFICIENT_STORAGE => QdrantError::StorageFull { source },
        StatusCode::TOO_MANY_REQUESTS => QdrantError::Unavailable { retry_after, source },
        status if status.is_server_error() => QdrantError::Unavailable { retry_after, source },
        status if status.is_client_error() => QdrantError::Refused { status: status.as_u16(), source },
        _ => QdrantError::Malformed { what: "it sends requests elsewhere", source: Some(source) },
    }
}

/// The beginning of what the server said: `{"status": {"error": "…"}}`, or whatever else it is.
async fn said(mut response: Response) -> Result<String, EgressError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        body.extend_from_slice(&chunk);
        if u64::try_from(body.len()).unwrap_or(u64::MAX) > MOST_OF_A_REFUSAL {
            break;
        }
    }
    let json: Option<Value> = serde_json::from_slice(&body).ok();
    let error = json.as_ref().and_then(|json| json.get("status")?.get("error")?.as_str());
    let text = error.map_or_else(|| String::from_utf8_lossy(&body).into_owned(), str::to_owned);
    Ok(text.chars().take(MOST_OF_A_QUOTE).collect())
}

/// The server has a sentence for it and no code: `… Vector dimension error: expected dim: 4, got 3`.
fn wrong_dimensions(said: &str) -> Option<QdrantError> {
    let (_, numbers) = said.split_once("Vector dimension error: expected dim: ")?;
    let (expected, found) = numbers.split_once(", got ")?;
    let found = found.split(|c: char| !c.is_ascii_digit()).next()?;
    Some(QdrantError::WrongDimensions { expected: expected.parse().ok()?, found: found.parse().ok()? })
}
