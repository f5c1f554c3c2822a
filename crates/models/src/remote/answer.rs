use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use futures::stream::BoxStream;
use futures::{Stream, StreamExt};
use tokio::task::coop;
use tokio::time::Instant;

use super::call::Remote;
use super::frames::Frames;
use super::patience::Patience;
use crate::chat::ModelEvent;
use crate::error::ModelError;
use crate::wire::{Decoder, Progress, Unreadable};

/// The most bytes that say nothing, before they are taken for an attack or a mistake. Every frame is within that.
const MOST_SILENT_BYTES: usize = 1024 * 1024;
/// How long usage, or the end of the body, may come after the answer's text is complete.
const CLOSING_DEADLINE: Duration = Duration::from_secs(2);
/// How long the end of the body may come after the mark of the answer's end. The two are mostly sent together, and only
/// once both were read can the connection serve the next question.
const DRAINING_DEADLINE: Duration = Duration::from_millis(50);

/// The body of a response, read as an answer. There is no task behind it: what is not polled is not read, and dropping it
/// closes the call.
pub(super) struct Answer {
    remote: Arc<Remote>,
    /// `None` once it ended.
    body: Option<BoxStream<'static, reqwest::Result<Bytes>>>,
    frames: Frames,
    decoder: Box<dyn Decoder>,
    progress: Progress,
    patience: Patience,
    silent_bytes: usize,
    /// Whether the last event is in `progress`, or an error was handed out.
    over: bool,
}

impl Answer {
    pub(super) fn new(remote: Arc<Remote>, response: reqwest::Response, asked: Instant) -> Self {
        Self {
            body: Some(response.bytes_stream().boxed()),
            frames: Frames::new(remote.line.wire.framing()),
            decoder: remote.line.wire.decoder(),
            progress: Progress::new(remote.longest_answer),
            patience: Patience::new(&remote.deadlines, asked),
            silent_bytes: 0,
            over: false,
            remote,
        }
    }

    /// Reads a frame, or else more bytes.
    fn poll_progress(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), ModelError>> {
        if self.progress.is_done() {
            ready!(self.poll_drained(cx));
            self.conclude();
            return Poll::Ready(Ok(()));
        }
        if let Some(frame) = self.frames.next() {
            if let Err(unreadable) = self.decoder.read(frame, &mut self.progress) {
                return Poll::Ready(Err(self.unreadable(unreadable)));
            }
            return Poll::Ready(self.after_frame());
        }
        let Some(body) = &mut self.body else { return Poll::Ready(self.after_body(None)) };
        // A provider that is faster than its reader must not keep the other tasks of the thread from running.
        let budget = ready!(coop::poll_proceed(cx));
        match body.poll_next_unpin(cx) {
            Poll::Ready(Some(Ok(bytes))) => {
                budget.made_progress();
                self.patience.renew();
                self.silent_bytes = self.silent_bytes.saturating_add(bytes.len());
                if self.silent_bytes > MOST_SILENT_BYTES {
                    let what = "it goes on and on without a word of answer";
                    return Poll::Ready(Err(ModelError::Malformed { what }));
                }
                self.frames.push(&bytes);
                Poll::Ready(Ok(()))
            }
            Poll::Ready(Some(Err(error))) => Poll::Ready(self.after_body(Some(error))),
            Poll::Ready(None) => {
                self.body = None;
                self.frames.finish();
                Poll::Ready(Ok(()))
            }
            Poll::Pending => {
                let late = ready!(self.patience.poll_end(cx));
                if !self.progress.is_finished() {
                    return Poll::Ready(Err(late));
                }
                self.conclude();
                Poll::Ready(Ok(()))
            }
        }
    }

    /// Waits for the end of the body, though not for long; whatever comes instead ends the waiting too.
    fn poll_drained(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match self.body.as_mut().map(|body| body.poll_next_unpin(cx)) {
            Some(Poll::Pending) => self.patience.poll_end(cx).map(drop),
            Some(Poll::Ready(_)) | None => Poll::Ready(()),
        }
    }

    fn after_frame(&mut self) -> Result<(), ModelError> {
        if self.progress.is_overflown() {
            return Err(ModelError::TooLarge { limit: self.remote.longest_answer });
        }
        if self.progress.has_events() {
            self.silent_bytes = 0;
        }
        if self.progress.is_done() {
            self.patience.lessen(DRAINING_DEADLINE);
        } else if self.progress.is_finished() {
            self.patience.lessen(CLOSING_DEADLINE);
        }
        Ok(())
    }

    /// The body ended, or broke, before the mark of the end; but the text may be complete.
    fn after_body(&mut self, error: Option<reqwest::Error>) -> Result<(), ModelError> {
        if self.progress.is_finished() {
            self.conclude();
            return Ok(());
        }
        Err(ModelError::CutOff { source: error.map(|error| error.without_url().into()) })
    }

    fn unreadable(&self, unreadable: Unreadable) -> ModelError {
        match unreadable {
            Unreadable::Complaint(complaint) => complaint.in_stream(self.remote.asked()),
            // The half of a frame, rather than a wrong one.
            Unreadable::NotOfThisWire if self.body.is_none() => ModelError::CutOff { source: None },
            Unreadable::NotOfThisWire => ModelError::Malformed { what: "it is not in this provider's format" },
        }
    }

    fn conclude(&mut self) {
        self.progress.conclude();
        self.close();
    }

    /// Ends the call.
    fn close(&mut self) {
        self.body = None;
        self.over = true;
    }
}

impl Stream for Answer {
    type Item = Result<ModelEvent, ModelError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        loop {
            if let Some(event) = this.progress.next() {
                return Poll::Ready(Some(Ok(event)));
            }
            if this.over {
                return Poll::Ready(None);
            }
            if let Err(error) = ready!(this.poll_progress(cx)) {
                this.close();
                return Poll::Ready(Some(Err(error)));
            }
        }
    }
}
