use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::header;
use bytes::Bytes;
use futures::Stream;
use futures::stream::LocalBoxStream;
use tokio::time::{Instant, Sleep, sleep};
use utoipa::openapi::schema::Schema;
use utoipa::openapi::{ContentBuilder, RefOr, Response, ResponseBuilder};

use crate::{ApiError, Reply, Visit};

/// How long a stream may be silent before a comment keeps it alive. It is also how soon a client that went away is
/// noticed: only a write finds out.
const SILENCE: Duration = Duration::from_secs(5);

/// A stream of server-sent events: `200` with `text/event-stream`. Each item is one or more whole frames.
pub struct EventStream(LocalBoxStream<'static, Bytes>);

impl EventStream {
    /// Takes the frames.
    pub fn new(frames: impl Stream<Item = Bytes> + 'static) -> Self {
        Self(Box::pin(frames))
    }
}

impl Reply for EventStream {
    const STATUS: u16 = 200;

    fn respond(self, _visit: &Visit) -> Result<HttpResponse, ApiError> {
        Ok(HttpResponse::Ok()
            .insert_header((header::CONTENT_TYPE, "text/event-stream"))
            // `no-cache` is what readers of streams look for; `no-store` is what keeps the words off a disk.
            .insert_header((header::CACHE_CONTROL, "no-cache, no-store"))
            // Proxies must not gather frames, nor may compression here.
            .insert_header(("X-Accel-Buffering", "no"))
            .insert_header((header::CONTENT_ENCODING, "identity"))
            .streaming(KeptAlive { frames: self.0, silence: Box::pin(sleep(SILENCE)) }))
    }

    fn describe(_schemas: &mut Vec<(String, RefOr<Schema>)>) -> Response {
        // OpenAPI 3.1 has no word for the events of a stream, and tools read a schema here in two ways: of the whole body,
        // and of each event.
        let content = ContentBuilder::new().build();
        ResponseBuilder::new().description("Server-sent events").content("text/event-stream", content).build()
    }
}

struct KeptAlive {
    frames: LocalBoxStream<'static, Bytes>,
    silence: Pin<Box<Sleep>>,
}

impl Stream for KeptAlive {
    type Item = Result<Bytes, actix_web::Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Poll::Ready(frame) = self.frames.as_mut().poll_next(context) {
            self.silence.as_mut().reset(Instant::now() + SILENCE);
            return Poll::Ready(frame.map(Ok));
        }
        if self.silence.as_mut().poll(context).is_ready() {
            self.silence.as_mut().reset(Instant::now() + SILENCE);
            return Poll::Ready(Some(Ok(Bytes::from_static(b": keep-alive\n\n"))));
        }
        Poll::Pending
    }
}
