use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::Notify;

use crate::event::Done;
use crate::event::Frames;
use crate::{Event, TurnError};

/// What a turn has said so far: written once, read by whoever is there, at each reader's own pace.
pub struct TurnLog {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Default)]
struct State {
    segments: VecDeque<Segment>,
    outcome: Option<Outcome>,
}

/// Frames that were written together.
struct Segment {
    bytes: Bytes,
    /// The number and the end of each frame.
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
        self.lock().segments.push_back(Segment { bytes, frames });
        self.changed.notify_waiters();
    }

    /// Adds the last event, and says how it ended.
    pub(crate) fn end(&self, frames: &mut Frames, last: &Event<'_>, outcome: Outcome) {
        frames.push(last);
        let (bytes, frames) = frames.take();
        let mut state = self.lock();
        state.segments.push_back(Segment { bytes, frames });
        state.outcome = Some(outcome);
        drop(state);
        self.changed.notify_waiters();
    }

    pub(crate) fn outcome(&self) -> Option<Outcome> {
        self.lock().outcome.clone()
    }

    /// Reads from behind the frame with this number; 0 reads from the beginning.
    #[must_use]
    pub fn reader(self: &Arc<Self>, after: u64) -> Reader {
        Reader { log: Arc::clone(self), segment: 0, after }
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
    segment: usize,
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
        let mut ready: Vec<Bytes> = Vec::new();
        while let Some(segment) = state.segments.get(self.segment) {
            self.segment += 1;
            ready.extend(segment.behind(self.after));
        }
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
    /// The frames with higher numbers than `after`, if there are any.
    fn behind(&self, after: u64) -> Option<Bytes> {
        let last = self.frames.last()?.0;
        if last <= after {
            return None;
        }
        let start = self.frames.iter().rev().find(|(number, _)| *number <= after).map_or(0, |(_, end)| *end);
        Some(self.bytes.slice(start..))
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

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
}
