//! What is asked of somebody else's server.

use std::fmt;

use bytes::Bytes;
use http::{
    HeaderMap, HeaderName, HeaderValue, Method,
    header::{
        AUTHORIZATION, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, COOKIE, HOST, PROXY_AUTHORIZATION, TE, TRAILER,
        TRANSFER_ENCODING, UPGRADE,
    },
};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use url::Url;

use crate::{
    error::EgressError,
    policy::{Deadlines, EgressPolicy, Redirects},
};

/// One request. What it does not say about deadlines, size and redirects, the [`EgressPolicy`] says.
///
/// Its `Debug` form shows neither values of headers nor the path, the query or the body.
#[derive(Clone)]
pub struct Request {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    deadlines: Option<Deadlines>,
    max_body: Option<u64>,
    redirects: Option<Redirects>,
}

/// Headers that carry a credential even if the caller did not mark the value as sensitive.
const CREDENTIALS: [HeaderName; 8] = [
    AUTHORIZATION,
    PROXY_AUTHORIZATION,
    COOKIE,
    HeaderName::from_static("x-api-key"),
    HeaderName::from_static("api-key"),
    HeaderName::from_static("x-goog-api-key"),
    HeaderName::from_static("x-auth-token"),
    HeaderName::from_static("x-access-token"),
];

/// Headers that belong to the connection, which is not the caller's. A wrong length or a second host in them would make
/// two servers on the way read two different requests.
const CONNECTION_HEADERS: [HeaderName; 9] = [
    CONNECTION,
    CONTENT_LENGTH,
    HOST,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
];

impl Request {
    /// A request without headers and body.
    #[must_use]
    pub fn new(method: Method, url: Url) -> Self {
        Self {
            method,
            url,
            headers: HeaderMap::new(),
            body: Bytes::new(),
            deadlines: None,
            max_body: None,
            redirects: None,
        }
    }

    /// A `GET`.
    #[must_use]
    pub fn get(url: Url) -> Self {
        Self::new(Method::GET, url)
    }

    /// A `POST`, so far without a body.
    #[must_use]
    pub fn post(url: Url) -> Self {
        Self::new(Method::POST, url)
    }

    /// Sets a header, in place of an earlier one of the same name.
    ///
    /// A value that is [marked sensitive](HeaderValue::set_sensitive) does not follow a redirect to another origin;
    /// values of the usual credential headers (`Authorization`, `Cookie`, `X-Api-Key` …) are marked here. Headers that
    /// belong to the connection (`Host`, `Content-Length`, `Transfer-Encoding` …) are ignored.
    #[must_use]
    pub fn header(mut self, name: HeaderName, mut value: HeaderValue) -> Self {
        if CONNECTION_HEADERS.contains(&name) {
            return self;
        }
        if CREDENTIALS.contains(&name) {
            value.set_sensitive(true);
        }
        self.headers.insert(name, value);
        self
    }

    /// Sets a header that holds a secret.
    ///
    /// # Errors
    /// [`EgressError::Request`] if the secret holds characters that no header can.
    pub fn secret_header(self, name: HeaderName, secret: &SecretString) -> Result<Self, EgressError> {
        let mut value = HeaderValue::from_str(secret.expose_secret())
            .map_err(|_| EgressError::Request { problem: "a secret holds characters that a header cannot" })?;
        value.set_sensitive(true);
        Ok(self.header(name, value))
    }

    /// Sets `Authorization: Bearer …`.
    ///
    /// # Errors
    /// [`EgressError::Request`] if the token holds characters that no header can.
    pub fn bearer(self, token: &SecretString) -> Result<Self, EgressError> {
        self.secret_header(AUTHORIZATION, &format!("Bearer {}", token.expose_secret()).into())
    }

    /// Sets the body; its `Content-Type` is the caller's to set.
    #[must_use]
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }

    /// Sets the body to `value` as JSON, and its `Content-Type`.
    ///
    /// # Errors
    /// [`EgressError::Request`] if the value has no JSON form.
    pub fn json<T: Serialize + ?Sized>(self, value: &T) -> Result<Self, EgressError> {
        let body = serde_json::to_vec(value).map_err(|_| EgressError::Request { problem: "its body is not JSON" })?;
        Ok(self.header(CONTENT_TYPE, HeaderValue::from_static("application/json")).body(body))
    }

    /// Other deadlines than the policy's.
    #[must_use]
    pub fn deadlines(mut self, deadlines: Deadlines) -> Self {
        self.deadlines = Some(deadlines);
        self
    }

    /// Another limit than the policy's for the body of the answer, in bytes after decompression.
    #[must_use]
    pub fn max_body(mut self, bytes: u64) -> Self {
        self.max_body = Some(bytes);
        self
    }

    /// Another way with redirects than the policy's.
    #[must_use]
    pub fn redirects(mut self, redirects: Redirects) -> Self {
        self.redirects = Some(redirects);
        self
    }

    pub(crate) fn limits(&self, policy: &EgressPolicy) -> Limits {
        Limits {
            deadlines: self.deadlines.unwrap_or(policy.deadlines),
            max_body: self.max_body.unwrap_or(policy.max_body),
            redirects: self.redirects.unwrap_or(policy.redirects),
        }
    }

    pub(crate) fn on_the_wire(&self) -> reqwest::Request {
        let mut wire = reqwest::Request::new(self.method.clone(), self.url.clone());
        *wire.headers_mut() = self.headers.clone();
        if !self.body.is_empty() {
            *wire.body_mut() = Some(self.body.clone().into());
        }
        wire
    }
}

/// The limits of one request, decided.
#[derive(Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) deadlines: Deadlines,
    pub(crate) max_body: u64,
    pub(crate) redirects: Redirects,
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("origin", &self.url.origin().ascii_serialization())
            .field("headers", &self.headers.keys().collect::<Vec<_>>())
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}
