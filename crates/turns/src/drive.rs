use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt};
use omni_domain::{Citation, Clock, ErrorKind, Failure, MessageStatus, TokenCount, TurnUsage, error_chain};
use omni_models::{ChatStream, ModelError, ModelEvent, Usage};
use omni_persistence::FinishedTurn;
use omni_rbac::{Grant, Viewer};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::TurnError;
use crate::event::{Done, Event, Frames, TokenUsage};
use crate::ledger::Ledger;
use crate::live::Turn;
use crate::log::Outcome;
use crate::pace::Pace;

/// The most bytes of frames that are written before the readers get them.
const MOST_AT_ONCE: usize = 16 * 1024;

/// A model's answer, which may be there already.
pub(crate) type Asking = BoxFuture<'static, Result<ChatStream, ModelError>>;

/// A turn on its way: what the model says goes into the log, and in the end into the ledger.
pub(crate) struct Drive {
    pub(crate) turn: Turn,
    pub(crate) grant: Grant<Viewer>,
    pub(crate) ledger: Ledger,
    pub(crate) clock: Arc<dyn Clock>,
    /// The passages that the model was given.
    pub(crate) citations: Vec<Citation>,
    /// About what was asked, for a model that does not say what it cost or is not let finish.
    pub(crate) asked: Usage,
    /// Set when the process is about to stop.
    pub(crate) shutdown: CancellationToken,
}

/// What a model has said so far.
#[derive(Default)]
struct Answer {
    text: String,
    usage: Option<Usage>,
    finish_reason: Option<&'static str>,
}

impl Drive {
    /// Runs the turn to its end, whoever reads and whatever happens: a turn that never ends would keep its readers for ever.
    pub(crate) async fn run(self, asking: Asking) {
        let mut frames = Frames::default();
        if let Err(panic) = AssertUnwindSafe(self.answer(asking, &mut frames)).catch_unwind().await {
            let cause = panic.downcast_ref::<&str>().copied().unwrap_or("with something that is no text");
            let outcome = self.store(Err(TurnError::Panicked(cause.to_owned())), &Answer::default()).await;
            self.tell(outcome, Answer::default(), None, &mut frames);
        }
    }

    async fn answer(&self, asking: Asking, frames: &mut Frames) {
        let mut answer = Answer::default();
        frames.push(&Event::Metadata(&self.turn.metadata));
        self.citations.iter().for_each(|citation| frames.push(&Event::Citation(citation)));
        self.turn.log.append(frames);
        let outcome = self.listen(asking, &mut answer, frames).await;
        if answer.usage.is_none() && !answer.text.is_empty() {
            answer.usage = Some(self.asked.with_answer(&answer.text));
        }
        let usage = answer.usage.map(|usage| TokenUsage {
            input_tokens: usage.input_tokens,
            output_tokens: usage.output_tokens,
            estimated: usage.estimated,
        });
        if let Some(usage) = usage {
            frames.push(&Event::Usage(usage));
        }
        self.turn.log.append(frames);
        let outcome = self.store(outcome, &answer).await;
        self.tell(outcome, answer, usage, frames);
    }

    async fn listen(&self, asking: Asking, answer: &mut Answer, frames: &mut Frames) -> Result<(), TurnError> {
        let stop = self.turn.stop.clone().cancelled_owned();
        tokio::pin!(stop);
        let mut stream = tokio::select! {
            biased;
            () = &mut stop => return Err(self.stopped()),
            stream = asking => stream?,
        };
        let mut pace = Pace::default();
        loop {
            if let Some(until) = pace.rests_until(Instant::now()) {
                tokio::select! {
                    biased;
                    () = &mut stop => return Err(self.stopped()),
                    () = tokio::time::sleep_until(until) => {}
                }
            }
            let event = tokio::select! {
                biased;
                () = &mut stop => return Err(self.stopped()),
                event = stream.next() => event,
            };
            let (mut is_over, mut events) = (answer.take(event, frames)?, 1);
            // What has arrived together goes out together: one wake-up of the readers, one write to the socket.
            while !is_over && frames.len() < MOST_AT_ONCE {
                let Some(event) = arrived(&mut stream).await else { break };
                is_over = answer.take(event, frames)?;
                events += 1;
            }
            if is_over {
                return Ok(());
            }
            self.turn.log.append(frames);
            pace.said(events, Instant::now());
        }
    }

    fn stopped(&self) -> TurnError {
        if self.shutdown.is_cancelled() { TurnError::Interrupted } else { TurnError::Cancelled }
    }

    /// Writes the end of the turn. A turn whose end cannot be written has failed, whatever the model said.
    async fn store(&self, outcome: Result<(), TurnError>, answer: &Answer) -> Result<(), TurnError> {
        let error = outcome.as_ref().err();
        let finished = FinishedTurn {
            grant: self.grant.at(),
            turn: self.turn.metadata.turn_id,
            agent: self.turn.metadata.agent_id,
            status: match error {
                None => MessageStatus::Complete,
                Some(TurnError::Cancelled | TurnError::Interrupted) => MessageStatus::Interrupted,
                Some(_) => MessageStatus::Failed,
            },
            content: answer.text.clone(),
            error: error.map(TurnError::told),
            error_code: error.map(Failure::code),
            usage: answer.usage.map(|usage| TurnUsage {
                tokens: TokenCount { input: usage.input_tokens, output: usage.output_tokens },
                estimated: usage.estimated,
            }),
            now: self.clock.now(),
        };
        match self.ledger.finish(finished).await {
            Ok(true) => outcome,
            // Whoever stopped it has been told why.
            Ok(false) => outcome.and(Err(TurnError::NotKept)),
            Err(error) => Err(TurnError::NotStored(error)),
        }
    }

    fn tell(&self, outcome: Result<(), TurnError>, answer: Answer, usage: Option<TokenUsage>, frames: &mut Frames) {
        let metadata = &self.turn.metadata;
        match outcome {
            Ok(()) => {
                let done = Arc::new(Done {
                    response: answer.text,
                    turn_id: metadata.turn_id,
                    conversation_id: metadata.conversation_id,
                    message_id: metadata.message_id,
                    agent_id: metadata.agent_id,
                    finish_reason: answer.finish_reason.unwrap_or("stop"),
                    usage,
                    citations: self.citations.clone(),
                });
                self.turn.log.end(frames, &Event::Done(&done), Outcome::Done(Arc::clone(&done)));
            }
            Err(error) => {
                if error.kind() == ErrorKind::Internal {
                    tracing::error!(turn = %metadata.turn_id, cause = error_chain(&error), "a turn failed");
                } else {
                    tracing::info!(turn = %metadata.turn_id, code = error.code(), %error, "a turn failed");
                }
                let (code, message) = (error.code(), error.told());
                let last = Event::Error { code, message: &message };
                self.turn.log.end(frames, &last, Outcome::Failed(Arc::new(error)));
            }
        }
    }
}

/// The next event, if it has arrived. What lies in the connection is handed over by a task beside this one, which gets
/// its turn before the answer is no.
async fn arrived(stream: &mut ChatStream) -> Option<Option<Result<ModelEvent, ModelError>>> {
    match stream.next().now_or_never() {
        Some(event) => Some(event),
        None => {
            tokio::task::yield_now().await;
            stream.next().now_or_never()
        }
    }
}

impl Answer {
    /// Takes what the model said, and says whether that was all.
    fn take(&mut self, event: Option<Result<ModelEvent, ModelError>>, frames: &mut Frames) -> Result<bool, TurnError> {
        match event {
            None => return Ok(true),
            Some(Err(error)) => return Err(error.into()),
            Some(Ok(ModelEvent::Token(content))) => {
                let content = without_nul(content);
                self.text.push_str(&content);
                frames.push(&Event::Token { content: &content });
            }
            Some(Ok(ModelEvent::Reasoning(content))) => {
                frames.push(&Event::Thinking { content: &without_nul(content) });
            }
            Some(Ok(ModelEvent::Usage(usage))) => self.usage = Some(usage),
            Some(Ok(ModelEvent::End { finish_reason })) => {
                self.finish_reason = Some(finish_reason.name());
                return Ok(true);
            }
            // Kinds that a later version of the port adds are not part of the answer's text.
            Some(Ok(_)) => {}
        }
        Ok(false)
    }
}

/// PostgreSQL keeps no NUL in a text. A model that says one is quoted with the character that stands for what cannot be
/// shown.
fn without_nul(content: String) -> String {
    if content.contains('\0') { content.replace('\0', "\u{fffd}") } else { content }
}
