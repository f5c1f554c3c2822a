//! The way of every request: the door, the table, the endpoint, and what each answer carries.

use std::panic::AssertUnwindSafe;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::web::Payload;
use actix_web::{HttpRequest, HttpResponse};
use futures::FutureExt;
use omni_domain::{Entropy, ErrorKind, error_chain};
use tracing::Instrument;

use crate::docs::Docs;
use crate::intake::Intake;
use crate::router::Found;
use crate::{ApiError, Plane, Router, Visit};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Serves one API: a table, and the state that its endpoints work with.
pub struct Dispatcher<P: Plane> {
    router: Arc<Router<P>>,
    state: Arc<P::State>,
    docs: Docs,
    intake: Intake,
    process: u32,
    requests: AtomicU64,
}

impl<P: Plane> Dispatcher<P> {
    /// Makes the server of a router's tables.
    pub fn new(router: Arc<Router<P>>, state: Arc<P::State>, entropy: &dyn Entropy) -> Arc<Self> {
        let mut process = [0; 4];
        entropy.fill(&mut process);
        let docs = Docs::new::<P>();
        let (process, requests) = (u32::from_be_bytes(process), AtomicU64::new(1));
        Arc::new(Self { router, state, docs, intake: Intake::new(), process, requests })
    }

    /// Answers a request, whatever happens.
    pub async fn answer(&self, head: HttpRequest, payload: Payload) -> HttpResponse {
        let request_id = self.request_id(&head);
        let span = tracing::error_span!(
            "request",
            request_id = &*request_id,
            method = head.method().as_str(),
            path = head.path()
        );
        async {
            let (visit, outcome) = self.route(head, payload, Rc::clone(&request_id)).await;
            let response = outcome.unwrap_or_else(|error| refuse::<P>(&error));
            finish(response, &visit)
        }
        .instrument(span)
        .await
    }

    async fn route(
        &self,
        head: HttpRequest,
        payload: Payload,
        request_id: Rc<str>,
    ) -> (Visit, Result<HttpResponse, ApiError>) {
        let found = self.router.find(head.method().as_str(), head.path());
        let (parameters, found) = match found {
            Found::Endpoint(line, parameters) => (parameters, Ok(line)),
            Found::OtherMethods(methods) => (Rc::default(), Err(ApiError::method_not_allowed(methods))),
            Found::Nothing => (Rc::default(), Err(ApiError::not_found())),
        };
        let visit = Visit::new(head, parameters, request_id, self.intake.share());
        if let Err(refusal) = P::screen(&self.state, &visit) {
            P::turned_away(&self.state, &visit, &refusal).await;
            return (visit, Err(refusal));
        }
        let outcome = match found {
            Ok(line) => {
                let running = line.run(Arc::clone(&self.state), visit.clone(), payload);
                AssertUnwindSafe(running)
                    .catch_unwind()
                    .await
                    .unwrap_or_else(|panic| Err(ApiError::internal(panic_message(&*panic))))
            }
            Err(error) => match self.docs.serve(&self.router, &visit) {
                Some(page) => Ok(page),
                None => Err(error),
            },
        };
        (visit, outcome)
    }

    /// What the caller calls the request, if that is a sane name, or else the next of this process's own.
    fn request_id(&self, head: &HttpRequest) -> Rc<str> {
        let given = head.headers().get(&REQUEST_ID).and_then(|value| value.to_str().ok());
        let is_sane = |id: &&str| {
            (8..=128).contains(&id.len())
                && id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
        };
        given.filter(is_sane).map_or_else(
            || format!("{:08x}-{:08x}", self.process, self.requests.fetch_add(1, Ordering::Relaxed)).into(),
            Into::into,
        )
    }
}

/// The answer to a request that failed; a failure of ours is logged here, once, with all that is behind it.
fn refuse<P: Plane>(error: &ApiError) -> HttpResponse {
    let status = error.status();
    if status.is_server_error() {
        let cause = error.cause().map(|cause| error_chain(cause)).unwrap_or_default();
        if error.kind() == ErrorKind::Internal {
            tracing::error!(code = error.code(), cause, "a request failed");
        } else {
            tracing::warn!(code = error.code(), cause, "a dependency failed a request");
        }
    } else {
        tracing::debug!(
            code = error.code(),
            detail = error.detail(),
            status = status.as_u16(),
            "a request was refused"
        );
    }
    let mut response = HttpResponse::build(status);
    if let Some(seconds) = error.retry_after() {
        response.insert_header((header::RETRY_AFTER, seconds.to_string()));
    }
    if let Some(methods) = error.allow() {
        response.insert_header((header::ALLOW, methods));
    }
    response.json(P::error_body(error))
}

/// What every answer carries.
fn finish(mut response: HttpResponse, visit: &Visit) -> HttpResponse {
    for cookie in visit.take_cookies() {
        if let Err(error) = response.add_cookie(&cookie) {
            tracing::error!(%error, "a cookie cannot be written");
        }
    }
    let headers = response.headers_mut();
    for (name, value) in visit.take_headers() {
        headers.insert(name, value);
    }
    if let Ok(id) = HeaderValue::from_str(visit.request_id()) {
        headers.insert(REQUEST_ID, id);
    }
    if !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

fn panic_message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    format!("a handler panicked: {}", text.unwrap_or("with something that is no text"))
}
