use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::{Bytes, BytesMut};
use tokio::sync::Notify;

use crate::event::{Done, Frames, answer_of};
use crate::{Event, TurnError};

/// What a turn has said so far: written once, read by whoever is there, at each reader's own pace.
pub struct TurnLog {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Default)]
struct State {
    segments: Vec<Segment>,
    /// The text of an answer is in the last frame and not kept a second time.
    outcome: Option<Outcome>,
}

/// Frames that were written together.
struct Segment {
    bytes: Bytes,
    /// The number and the end of each frame; never empty.
    frames: Vec<(u64, usize)>,
}

/// How a turn ended.
#[derive(Debug, Clone)]
pub(crate) enum Outcome {
    /// It did not fail.
    Done(Arc<Done>),
    /// It failed.
    Failed(Arc<TurnError>),
}

impl fmt::Debug for TurnLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.lock();
        f.debug_struct("TurnLog").field("segments", &state.segments.len()).field("outcome", &state.outcome).finish()
    }
}

impl TurnLog {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self { state: Mutex::default(), changed: Notify::new() })
    }

    /// Nothing that holds the lock can panic halfway, so a poisoned one is as good as any.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds frames, and wakes the readers once.
    pub(crate) fn append(&self, frames: &mut Frames) {
        if frames.is_empty() {
            return;
        }
        let (bytes, frames) = frames.take();
        self.lock().segments.push(Segment { bytes, frames });
        self.changed.notify_waiters();
    }

    /// Adds the last event, and says how it ended.
    pub(crate) fn end(&self, frames: &mut Frames, last: &Event<'_>, outcome: Outcome) {
        frames.push(last);
        let (bytes, frames) = frames.take();
        let outcome = match outcome {
            Outcome::Done(done) => Outcome::Done(Arc::new(done.without_text())),
            failed @ Outcome::Failed(_) => failed,
        };
        let mut state = self.lock();
        state.segments.push(Segment { bytes, frames });
        state.outcome = Some(outcome);
        drop(state);
        self.changed.notify_waiters();
    }

    /// Puts what was said into one piece of memory of exactly its size, and says how many bytes it holds. For a turn that
    /// has ended: its readers keep their places.
    pub(crate) fn settle(&self) -> usize {
        let mut state = self.lock();
        let (mut bytes, mut frames) = (
            BytesMut::with_capacity(state.segments.iter().map(|segment| segment.bytes.len()).sum()),
            Vec::with_capacity(state.segments.iter().map(|segment| segment.frames.len()).sum()),
        );
        for segment in &state.segments {
            frames.extend(segment.frames.iter().map(|(number, end)| (*number, bytes.len() + end)));
            bytes.extend_from_slice(&segment.bytes);
        }
        let held = bytes.len() + frames.len() * size_of::<(u64, usize)>();
        state.segments = if frames.is_empty() { Vec::new() } else { vec![Segment { bytes: bytes.freeze(), frames }] };
        held
    }

    /// How the turn ended, with the text of the answer read back from the last frame.
    fn outcome(&self) -> Option<Outcome> {
        let state = self.lock();
        let outcome = match state.outcome.as_ref()? {
            Outcome::Done(done) => match state.segments.last().and_then(Segment::answer) {
                Some(response) => Outcome::Done(Arc::new(Done { response, ..done.without_text() })),
                None => Outcome::Failed(Arc::new(TurnError::Panicked("the log ends without an answer".to_owned()))),
            },
            failed @ Outcome::Failed(_) => failed.clone(),
        };
        Some(outcome)
    }

    /// Reads from behind the frame with this number; 0 reads from the beginning.
    #[must_use]
    pub fn reader(self: &Arc<Self>, after: u64) -> Reader {
        Reader { log: Arc::clone(self), after }
    }

    /// Waits until the turn has ended.
    pub(crate) async fn ended(&self) -> Outcome {
        loop {
            let changed = self.changed.notified();
            if let Some(outcome) = self.outcome() {
                return outcome;
            }
            changed.await;
        }
    }
}

/// One reader's place in a [`TurnLog`].
#[derive(Debug)]
pub struct Reader {
    log: Arc<TurnLog>,
    /// The number of the last frame that was read.
    after: u64,
}

impl Reader {
    /// The next frames, as many as there are; nothing when the turn has ended and all is read. Safe to drop and call
    /// again: what was not returned is not lost.
    pub async fn next(&mut self) -> Option<Bytes> {
        loop {
            let log = Arc::clone(&self.log);
            let changed = log.changed.notified();
            match self.poll() {
                Place::Frames(bytes) => return Some(bytes),
                Place::End => return None,
                Place::Wait => changed.await,
            }
        }
    }

    fn poll(&mut self) -> Place {
        let state = self.log.lock();
        let read = state.segments.partition_point(|segment| segment.last() <= self.after);
        let unread = state.segments.get(read..).unwrap_or_default();
        let mut ready: Vec<Bytes> = unread.iter().map(|segment| segment.behind(self.after)).collect();
        self.after = unread.last().map_or(self.after, Segment::last);
        let has_ended = state.outcome.is_some();
        drop(state);
        match ready.len() {
            0 if has_ended => Place::End,
            0 => Place::Wait,
            1 => Place::Frames(ready.swap_remove(0)),
            _ => Place::Frames(ready.concat().into()),
        }
    }
}

enum Place {
    Frames(Bytes),
    Wait,
    End,
}

impl Segment {
    /// The number of the last frame.
    fn last(&self) -> u64 {
        self.frames.last().map_or(0, |(number, _)| *number)
    }

    /// The frames with higher numbers than `after`.
    fn behind(&self, after: u64) -> Bytes {
        let read = self.frames.partition_point(|(number, _)| *number <= after);
        self.bytes.slice(self.end_of(read)..)
    }

    /// The answer, if the last frame says that the turn is done.
    fn answer(&self) -> Option<String> {
        let start = self.end_of(self.frames.len().checked_sub(1)?);
        answer_of(self.bytes.get(start..)?)
    }

    /// Where the first so many frames end.
    fn end_of(&self, frames: usize) -> usize {
        frames.checked_sub(1).and_then(|last| self.frames.get(last)).map_or(0, |(_, end)| *end)
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;
    use omni_domain::{AgentId, ConversationId, MessageId, TurnId};

    use super::*;

    fn say(log: &TurnLog, frames: &mut Frames, words: &[&str]) {
        for word in words {
            frames.push(&Event::Token { content: word });
        }
        log.append(frames);
    }

    fn text(bytes: Option<Bytes>) -> String {
        bytes.map(|bytes| String::from_utf8(bytes.to_vec()).unwrap()).unwrap_or_default()
    }

    #[tokio::test]
    async fn a_reader_who_comes_late_or_back_misses_nothing() {
        let (log, mut frames) = (TurnLog::new(), Frames::default());
        say(&log, &mut frames, &["a", "b"]);
        say(&log, &mut frames, &["c"]);
        let all = text(log.reader(0).next().await);
        assert!(all.starts_with("id: 1\n") && all.contains("id: 2\n") && all.contains("id: 3\n"));
        let back = text(log.reader(1).next().await);
        assert!(back.starts_with("id: 2\n") && back.contains("id: 3\n"));
        let mut ahead = log.reader(3);
        assert!(ahead.next().now_or_never().is_none());
        let error = Arc::new(TurnError::Cancelled);
        log.end(&mut frames, &Event::Error { code: "cancelled", message: "" }, Outcome::Failed(error));
        assert!(text(ahead.next().await).starts_with("id: 4\n"));
        assert!(ahead.next().await.is_none());
    }

    #[tokio::test]
    async fn a_waiting_reader_is_woken() {
        let (log, mut frames) = (TurnLog::new(), Frames::default());
        let mut reader = log.reader(0);
        let (read, ()) = futures::join!(reader.next(), async {
            tokio::task::yield_now().await;
            say(&log, &mut frames, &["a"]);
        });
        assert!(text(read).contains("\"a\""));
    }

    fn done(response: &str) -> Arc<Done> {
        Arc::new(Done {
            response: response.to_owned(),
            turn_id: TurnId::new(1),
            conversation_id: ConversationId::new(2),
            message_id: MessageId::new(3),
            agent_id: AgentId::new(4),
            finish_reason: "length",
            usage: None,
            citations: Vec::new(),
        })
    }

    #[tokio::test]
    async fn an_answer_is_in_memory_once_in_tokens_and_once_whole() {
        let (log, mut frames) = (TurnLog::new(), Frames::default());
        let text = "a \"b\"\n\u{1f600}".repeat(10_000);
        say(&log, &mut frames, &[&text]);
        let whole = done(&text);
        log.end(&mut frames, &Event::Done(&whole), Outcome::Done(Arc::clone(&whole)));
        let Some(Outcome::Done(kept)) = log.lock().outcome.clone() else { panic!("it is done") };
        assert_eq!(kept.response, "");
        let Outcome::Done(told) = log.ended().await else { panic!("it is done") };
        assert_eq!((told.response.as_str(), told.finish_reason), (text.as_str(), "length"));
        assert!(log.settle() < 3 * text.len());
    }

    #[tokio::test]
    async fn a_log_that_settles_loses_nothing_and_nobody_their_place() {
        let (log, mut frames) = (TurnLog::new(), Frames::default());
        say(&log, &mut frames, &["a"]);
        say(&log, &mut frames, &["b", "c"]);
        let mut midway = log.reader(1);
        assert!(text(midway.next().await).starts_with("id: 2\n"));
        let whole = done("abc");
        log.end(&mut frames, &Event::Done(&whole), Outcome::Done(whole.clone()));
        let before = text(log.reader(0).next().await);
        assert_eq!(log.settle(), before.len() + 4 * 16);
        assert_eq!(text(log.reader(0).next().await), before);
        assert!(text(log.reader(2).next().await).starts_with("id: 3\n"));
        assert!(text(midway.next().await).starts_with("id: 4\n"));
        assert!(midway.next().await.is_none());
        let Outcome::Done(told) = log.ended().await else { panic!("it is done") };
        assert_eq!(told.response, "abc");
    }
}
