//! What somebody else's server answered, bounded in bytes and in time.

use std::fmt;

use bytes::{Bytes, BytesMut};
use futures::{Stream, stream};
use http::{HeaderMap, StatusCode};
use serde::de::DeserializeOwned;
use tokio::time::{Instant, timeout_at};
use url::Url;

use crate::{
    egress::after,
    error::{EgressError, TimedOut},
    request::Limits,
};

/// The head of an answer, and its body as it arrives.
///
/// Whatever the status is, it is an answer: only the caller knows what a 404 means to it. Dropping it before the end of
/// the body closes the connection.
pub struct Response {
    status: StatusCode,
    headers: HeaderMap,
    url: Url,
    body: Body,
}

struct Body {
    /// `None` after the end or the first error.
    incoming: Option<reqwest::Response>,
    received: u64,
    limits: Limits,
    total: Instant,
}

impl Response {
    pub(crate) fn new(mut incoming: reqwest::Response, url: Url, limits: Limits, total: Instant) -> Self {
        Self {
            status: incoming.status(),
            headers: std::mem::take(incoming.headers_mut()),
            url,
            body: Body { incoming: Some(incoming), received: 0, limits, total },
        }
    }

    /// The status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The headers. Those that described a compression are gone with it.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The URL that answered, after redirects.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// The next piece of the body, decompressed, or `None` at its end. Never longer together than the request permits.
    ///
    /// # Errors
    /// [`EgressError::TooLarge`], [`EgressError::TimedOut`] and [`EgressError::Broken`]; after an error the body is over.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, EgressError> {
        self.body.chunk().await
    }

    /// The body as a stream of pieces. It ends after the first error, which is one that [`Response::chunk`] names.
    pub fn bytes_stream(self) -> impl Stream<Item = Result<Bytes, EgressError>> + Send + 'static {
        stream::try_unfold(self.body, |mut body| async move { Ok(body.chunk().await?.map(|chunk| (chunk, body))) })
    }

    /// The whole body.
    ///
    /// # Errors
    /// As [`Response::chunk`].
    pub async fn bytes(mut self) -> Result<Bytes, EgressError> {
        let Some(first) = self.body.chunk().await? else { return Ok(Bytes::new()) };
        let Some(second) = self.body.chunk().await? else { return Ok(first) };
        let mut whole = BytesMut::from(first);
        whole.extend_from_slice(&second);
        while let Some(chunk) = self.body.chunk().await? {
            whole.extend_from_slice(&chunk);
        }
        Ok(whole.freeze())
    }

    /// The whole body, read as JSON.
    ///
    /// # Errors
    /// As [`Response::chunk`], and [`EgressError::Json`].
    pub async fn json<T: DeserializeOwned>(self) -> Result<T, EgressError> {
        serde_json::from_slice(&self.bytes().await?).map_err(|error| EgressError::Json { source: error.into() })
    }
}

impl Body {
    async fn chunk(&mut self) -> Result<Option<Bytes>, EgressError> {
        // Taken until there is more to come, so that an error leaves nothing to read from.
        let Some(mut incoming) = self.incoming.take() else { return Ok(None) };
        if self.received == 0 && incoming.content_length().is_some_and(|announced| self.exceeds(announced)) {
            return Err(self.too_large());
        }
        let Some(chunk) = self.next(&mut incoming).await? else { return Ok(None) };
        let length = u64::try_from(chunk.len()).unwrap_or(u64::MAX);
        if self.exceeds(length) {
            return Err(self.too_large());
        }
        self.received = self.received.saturating_add(length);
        self.incoming = Some(incoming);
        Ok(Some(chunk))
    }

    async fn next(&self, incoming: &mut reqwest::Response) -> Result<Option<Bytes>, EgressError> {
        let idle = after(self.limits.deadlines.idle);
        match timeout_at(idle.min(self.total), incoming.chunk()).await {
            Ok(Ok(chunk)) => Ok(chunk),
            Ok(Err(error)) => Err(EgressError::Broken { source: error.without_url().into() }),
            Err(_) if self.total <= idle => Err(EgressError::TimedOut(TimedOut::Total)),
            Err(_) => Err(EgressError::TimedOut(TimedOut::Idle)),
        }
    }

    fn exceeds(&self, more: u64) -> bool {
        self.received.saturating_add(more) > self.limits.max_body
    }

    fn too_large(&self) -> EgressError {
        EgressError::TooLarge { limit: self.limits.max_body }
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("status", &self.status)
            .field("origin", &self.url.origin().ascii_serialization())
            .field("received", &self.body.received)
            .finish_non_exhaustive()
    }
}
