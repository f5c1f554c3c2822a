use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use omni_egress::{Egress, EgressError, Redirects, Request, Response};
use reqwest::header::HeaderMap;
use secrecy::{ExposeSecret, SecretString};
use tokio::time::{Instant, sleep};
use url::Url;

use super::body::{content_type, start_of_body};
use super::complaint::{Asked, Complaint};
use super::retries::Retries;
use crate::deadlines::Deadlines;
use crate::error::ModelError;
use crate::wire::Unreadable;

/// Questions whose answer is one JSON document.
pub(crate) struct Exchange {
    pub(crate) egress: Egress,
    pub(crate) deadlines: Deadlines,
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    pub(crate) model: String,
    /// Only to take it out of what the provider says.
    pub(crate) key: Option<SecretString>,
}

impl Exchange {
    /// Asks until there is an answer that `read` can read, the request fails for good, or there is no patience left. The
    /// error is the last one. An answer has at most `longest` bytes.
    pub(super) async fn answer<T>(
        &self,
        body: serde_json::Result<Vec<u8>>,
        longest: usize,
        retries: &Retries,
        read: impl Fn(&[u8]) -> Result<T, Unreadable>,
    ) -> Result<T, ModelError> {
        let body = Bytes::from(body.map_err(|source| ModelError::Client { source: source.into() })?);
        let mut failures = 0;
        loop {
            let answer = self.ask(body.clone(), longest, retries.end()).await;
            let error = match answer.and_then(|answer| read(&answer).map_err(|unreadable| self.unreadable(unreadable)))
            {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            failures += 1;
            match retries.pause(failures, &error, Instant::now()) {
                Some(pause) => sleep(pause).await,
                None => return Err(error),
            }
        }
    }

    /// Asks once.
    async fn ask(&self, body: Bytes, longest: usize, end: Instant) -> Result<Bytes, ModelError> {
        let response = self.egress.send(self.request(body, longest, end)).await.map_err(|error| self.failure(error))?;
        if !response.status().is_success() {
            return Err(self.complaint(response).await);
        }
        if content_type(response.headers()) == "text/html" {
            return Err(ModelError::Malformed { what: "it is a web page" });
        }
        response.bytes().await.map_err(|error| match error {
            broken @ EgressError::Broken { .. } => ModelError::CutOff { source: Some(broken.into()) },
            other => self.failure(other),
        })
    }

    fn request(&self, body: Bytes, longest: usize, end: Instant) -> Request {
        let left = end.saturating_duration_since(Instant::now());
        let deadlines = omni_egress::Deadlines {
            headers: self.deadlines.first_byte,
            idle: self.deadlines.idle,
            // A deadline of nothing would be no deadline that was missed, but one that nobody could keep.
            total: left.max(Duration::from_millis(1)),
        };
        let request = Request::post(self.url.clone())
            .body(body)
            .deadlines(deadlines)
            .max_body(u64::try_from(longest).unwrap_or(u64::MAX))
            .redirects(Redirects::Return);
        self.headers.iter().fold(request, |request, (name, value)| request.header(name.clone(), value.clone()))
    }

    fn failure(&self, error: EgressError) -> ModelError {
        ModelError::of_exchange(error, self.url.host_str().unwrap_or_default(), &self.deadlines)
    }

    async fn complaint(&self, response: Response) -> ModelError {
        let (status, headers) = (response.status(), response.headers().clone());
        let body = start_of_body(response.bytes_stream()).await;
        Complaint::read(&body).with_status(status, &headers, self.asked())
    }

    /// The error for an answer that is none.
    fn unreadable(&self, unreadable: Unreadable) -> ModelError {
        match unreadable {
            Unreadable::Complaint(complaint) => complaint.in_stream(self.asked()),
            Unreadable::NotOfThisWire => ModelError::Malformed { what: "it is not in this provider's format" },
        }
    }

    fn asked(&self) -> Asked<'_> {
        Asked { model: &self.model, key: self.key.as_ref().map(|key| key.expose_secret().trim()) }
    }
}

impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exchange").field("url", &self.url.as_str()).field("model", &self.model).finish_non_exhaustive()
    }
}
