//! What providers understand and say: the request's address, headers and body, and the frames of the answer.

mod anthropic;
mod azure;
pub(crate) mod embedding;
mod gemini;
mod ollama;
mod openai;
mod progress;
mod prompt;
pub(crate) mod rerank;

use std::fmt;

use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use crate::chat::ChatRequest;
use crate::error::ModelError;
use crate::provider::Provider;
use crate::remote::{Complaint, Framing};
use crate::target::{ModelTarget, check_base_url, key_with_text};

pub(crate) use progress::Progress;

/// What is known of a target before a question is asked: where requests go, with which headers, in which words.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) url: Url,
    /// Among them the key, marked as sensitive.
    pub(crate) headers: HeaderMap,
    pub(crate) wire: Box<dyn Wire>,
}

/// One format of requests and answers.
pub(crate) trait Wire: fmt::Debug + Send + Sync {
    /// How the frames of an answer are told apart.
    fn framing(&self) -> Framing {
        Framing::Events
    }

    /// The body of a request, as JSON.
    fn body(&self, request: &ChatRequest) -> serde_json::Result<Vec<u8>>;

    /// A reader for one answer.
    fn decoder(&self) -> Box<dyn Decoder>;
}

/// Reads the frames of one answer. This runs once for every token: it parses only what it needs.
pub(crate) trait Decoder: Send {
    /// Reads a frame.
    fn read(&mut self, frame: &[u8], progress: &mut Progress) -> Result<(), Unreadable>;
}

/// Why a frame is no part of an answer.
#[derive(Debug)]
pub(crate) enum Unreadable {
    /// It is an error of the provider's.
    Complaint(Complaint),
    /// It is not of this wire.
    NotOfThisWire,
}

impl From<serde_json::Error> for Unreadable {
    fn from(_: serde_json::Error) -> Self {
        Self::NotOfThisWire
    }
}

/// Everything about talking to a target; `None` for the model that is built in.
pub(crate) fn line_to(target: &ModelTarget) -> Result<Option<Line>, ModelError> {
    if let Some(url) = &target.base_url {
        check_base_url(url)?;
    }
    if target.model.trim().is_empty() && target.provider != Provider::Local {
        return Err(missing(target, "model", "the name of a model"));
    }
    match target.provider {
        Provider::OpenAi => openai::line_to_openai(target),
        Provider::Mistral => openai::line_to_mistral(target),
        Provider::Azure => azure::line_to(target),
        Provider::Anthropic => anthropic::line_to(target),
        Provider::Google => gemini::line_to(target),
        Provider::Ollama => ollama::line_to(target),
        Provider::Local => return Ok(None),
    }
    .map(Some)
}

/// The base URL of a target, or this one.
fn base_url(target: &ModelTarget, usual: &str) -> Result<Url, ModelError> {
    target.base_url.clone().map_or_else(|| crate::target::parse_base_url(usual), Ok)
}

/// The key of a target, which a provider at its usual address does not go without.
fn required_key(target: &ModelTarget) -> Result<&SecretString, ModelError> {
    key_of(target).ok_or_else(|| missing(target, "api_key", "an API key"))
}

fn key_of(target: &ModelTarget) -> Option<&SecretString> {
    key_with_text(target.api_key.as_ref())
}

const fn missing(target: &ModelTarget, field: &'static str, what: &'static str) -> ModelError {
    ModelError::Missing { provider: target.provider, field, what }
}

/// The headers of every request.
fn json_headers(accept: &'static str) -> HeaderMap {
    HeaderMap::from_iter([
        (CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (ACCEPT, HeaderValue::from_static(accept)),
    ])
}

/// Puts a key into the header that a provider wants it in.
fn put_key(headers: &mut HeaderMap, name: &'static str, key: &SecretString) -> Result<(), ModelError> {
    put_secret(headers, HeaderName::from_static(name), key.expose_secret().trim())
}

/// Puts a key into `Authorization`.
fn put_bearer(headers: &mut HeaderMap, key: &SecretString) -> Result<(), ModelError> {
    put_secret(headers, AUTHORIZATION, &format!("Bearer {}", key.expose_secret().trim()))
}

fn put_secret(headers: &mut HeaderMap, name: HeaderName, secret: &str) -> Result<(), ModelError> {
    let mut value = HeaderValue::from_str(secret).map_err(|_| ModelError::KeyUnusable)?;
    value.set_sensitive(true);
    headers.insert(name, value);
    Ok(())
}
