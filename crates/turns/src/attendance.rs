use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::{Stream, StreamExt};
use omni_rbac::SessionKey;
use tokio_util::sync::CancellationToken;

/// Who reads turns, by the session that lets them: one that is ended ends what is read with it. The turn itself goes on.
#[derive(Debug, Clone, Default)]
pub(crate) struct Attendance(Arc<Mutex<HashMap<SessionKey, Reading>>>);

#[derive(Debug, Default)]
struct Reading {
    readers: usize,
    /// Whether the session was found to be over before.
    was_over: bool,
    over: CancellationToken,
}

/// One reader's place. It is given back when this is dropped.
#[derive(Debug)]
pub struct Attended {
    attendance: Attendance,
    session: SessionKey,
    over: CancellationToken,
}

impl Attendance {
    /// Nothing that holds the lock can panic halfway, so a poisoned one is as good as any.
    fn lock(&self) -> MutexGuard<'_, HashMap<SessionKey, Reading>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a place for a reader.
    pub(crate) fn attend(&self, session: SessionKey) -> Attended {
        let mut sessions = self.lock();
        let reading = sessions.entry(session).or_default();
        reading.readers += 1;
        Attended { attendance: self.clone(), session, over: reading.over.clone() }
    }

    /// The sessions that somebody reads with.
    pub(crate) fn sessions(&self) -> Vec<SessionKey> {
        self.lock().keys().copied().collect()
    }

    /// Ends what is read with these sessions, if they were over already the last time: whoever has lost the turn with the
    /// session is told so by the turn's own last word first.
    pub(crate) fn end(&self, over: &[SessionKey]) {
        let mut sessions = self.lock();
        for session in over {
            let Some(reading) = sessions.get_mut(session) else { continue };
            if reading.was_over {
                reading.over.cancel();
            }
            reading.was_over = true;
        }
    }
}

impl Attended {
    /// The stream for as long as the session lasts.
    pub fn while_it_lasts<S: Stream>(self, stream: S) -> impl Stream<Item = S::Item> {
        let over = self.over.clone().cancelled_owned();
        stream.take_until(over).map(move |item| {
            // The place is held for as long as the stream is.
            let _held = &self;
            item
        })
    }
}

impl Drop for Attended {
    fn drop(&mut self) {
        let mut sessions = self.attendance.lock();
        if let Some(reading) = sessions.get_mut(&self.session) {
            reading.readers -= 1;
            if reading.readers == 0 {
                sessions.remove(&self.session);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_session_that_is_over_ends_its_readers_and_nobody_elses() {
        let attendance = Attendance::default();
        let (ended, going_on) = (SessionKey::of("one"), SessionKey::of("other"));
        let read = |session| attendance.attend(session).while_it_lasts(futures::stream::repeat(1));
        let (first, second, other) = (read(ended), read(ended), read(going_on));
        assert_eq!(attendance.sessions().len(), 2);
        attendance.end(&[ended]);
        assert_eq!(attendance.sessions().len(), 2, "not at the first look");
        attendance.end(&[ended]);
        assert_eq!((first.count().await, second.count().await), (0, 0));
        assert_eq!(attendance.sessions(), [going_on], "who has left holds no place");
        assert_eq!(other.take(3).count().await, 3);
        assert_eq!(attendance.sessions(), []);
    }
}
