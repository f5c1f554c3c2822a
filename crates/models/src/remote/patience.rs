use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

use super::call::after;
use crate::deadlines::Deadlines;
use crate::error::{ModelError, WaitedFor};

/// How long an answer is waited for. A token costs it one look at the clock; the timer is only set again when it rings.
#[derive(Debug)]
pub(crate) struct Patience {
    /// The longest silence.
    idle: Duration,
    /// When the whole answer is late.
    end: Instant,
    total: Duration,
    /// Since when nothing came although somebody waited.
    silent_since: Option<Instant>,
    alarm: Pin<Box<Sleep>>,
}

impl Patience {
    pub(crate) fn new(deadlines: &Deadlines, asked: Instant) -> Self {
        let end = after(asked, deadlines.total);
        Self {
            idle: deadlines.idle,
            end,
            total: deadlines.total,
            silent_since: None,
            alarm: Box::pin(sleep_until(end)),
        }
    }

    /// Something came.
    pub(crate) const fn renew(&mut self) {
        self.silent_since = None;
    }

    /// From now on, no silence is longer than this.
    pub(crate) fn lessen(&mut self, idle: Duration) {
        self.idle = self.idle.min(idle);
    }

    /// Waits for the end of patience; to be called when nothing came.
    pub(crate) fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<ModelError> {
        let since = *self.silent_since.get_or_insert_with(Instant::now);
        let due = self.end.min(after(since, self.idle));
        // An alarm that rings too early is set again; one that would ring too late is set at once.
        if self.alarm.deadline() > due {
            self.alarm.as_mut().reset(due);
        }
        while self.alarm.as_mut().poll(cx).is_ready() {
            if Instant::now() < due {
                self.alarm.as_mut().reset(due);
            } else if due == self.end {
                return Poll::Ready(ModelError::TimedOut { waited_for: WaitedFor::End, after: self.total });
            } else {
                return Poll::Ready(ModelError::TimedOut { waited_for: WaitedFor::NextByte, after: self.idle });
            }
        }
        Poll::Pending
    }
}
