use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use omni_egress::{Egress, EgressError};
use reqwest::Response;
use secrecy::{ExposeSecret, SecretString};
use tokio::time::{Instant, timeout_at};

use super::answer::Answer;
use super::body::{content_type, start_of_body};
use super::complaint::{Asked, Complaint};
use super::frames::Framing;
use crate::chat::{ChatMessage, ChatModel, ChatRequest, ChatStream};
use crate::deadlines::Deadlines;
use crate::error::{ModelError, WaitedFor};
use crate::image::check_images;
use crate::wire::Line;

/// A model at a provider.
#[derive(Debug, Clone)]
pub(crate) struct RemoteModel(pub(crate) Arc<Remote>);

#[derive(Debug)]
pub(crate) struct Remote {
    pub(crate) egress: Egress,
    pub(crate) deadlines: Deadlines,
    /// The most bytes of text in an answer.
    pub(crate) longest_answer: usize,
    pub(crate) line: Line,
    pub(crate) model: String,
    /// Only to take it out of what the provider says.
    pub(crate) key: Option<SecretString>,
}

impl ChatModel for RemoteModel {
    fn stream(&self, request: ChatRequest) -> BoxFuture<'static, Result<ChatStream, ModelError>> {
        let remote = Arc::clone(&self.0);
        Box::pin(async move { remote.ask(&request).await })
    }
}

impl Remote {
    async fn ask(self: Arc<Self>, request: &ChatRequest) -> Result<ChatStream, ModelError> {
        if request.messages.iter().all(ChatMessage::is_silent) {
            return Err(ModelError::NothingAsked);
        }
        check_images(request)?;
        let asked = Instant::now();
        let response = self.send(request, asked).await?;
        if !response.status().is_success() {
            return Err(self.complaint_with_status(response).await);
        }
        match content_type(response.headers()) {
            "text/html" => Err(ModelError::Malformed { what: "it is a web page" }),
            "application/json" if self.line.wire.framing() == Framing::Events => {
                Err(self.complaint_with_success(response).await)
            }
            _ => Ok(ChatStream::new(Answer::new(self, response, asked))),
        }
    }

    async fn send(&self, request: &ChatRequest, asked: Instant) -> Result<Response, ModelError> {
        let Line { url, headers, wire } = &self.line;
        let host = url.host_str().unwrap_or_default();
        let client = self.egress.client_for(url).map_err(|error| ModelError::of_sending(error, host))?;
        let body = wire.body(request).map_err(|source| ModelError::Client { source: source.into() })?;
        let sending = client.post(url.clone()).headers(headers.clone()).body(body).send();
        let first_byte = self.deadlines.first_byte.min(self.deadlines.total);
        match timeout_at(after(asked, first_byte), sending).await {
            Ok(sent) => sent.map_err(|error| ModelError::of_sending(EgressError::from(error), host)),
            Err(_) => Err(ModelError::TimedOut { waited_for: WaitedFor::FirstByte, after: first_byte }),
        }
    }

    async fn complaint_with_status(&self, response: Response) -> ModelError {
        let (status, headers) = (response.status(), response.headers().clone());
        let body = start_of_body(response.bytes_stream()).await;
        Complaint::read(&body).with_status(status, &headers, self.asked())
    }

    /// One JSON document where a stream was asked for: an error of a gateway that calls it a success, or a server that
    /// cannot stream.
    async fn complaint_with_success(&self, response: Response) -> ModelError {
        let body = start_of_body(response.bytes_stream()).await;
        match serde_json::from_slice::<serde_json::Value>(&body) {
            Ok(value) if value.get("error").is_some_and(|error| !error.is_null()) => {
                Complaint::read(&body).in_stream(self.asked())
            }
            _ => ModelError::Malformed { what: "it is not a stream" },
        }
    }

    pub(super) fn asked(&self) -> Asked<'_> {
        Asked { model: &self.model, key: self.key.as_ref().map(|key| key.expose_secret().trim()) }
    }
}

/// The instant `wait` after `start`; for a wait beyond what the clock can count, one far enough away.
pub(super) fn after(start: Instant, wait: Duration) -> Instant {
    const FAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);
    start + wait.min(FAR)
}
