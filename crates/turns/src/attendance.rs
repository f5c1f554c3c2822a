use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::{Stream, StreamExt};
use omni_domain::{AppId, UserId};
use omni_rbac::SessionKey;
use tokio_util::sync::CancellationToken;

/// Who reads what goes on longer than the request that asked for it, by what lets them: their session, and their place in
/// the app. Losing either ends what is read. The turn or the work that is read about goes on.
#[derive(Debug, Clone, Default)]
pub(crate) struct Attendance(Arc<Mutex<HashMap<Leave, Reading>>>);

/// What lets somebody read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Leave {
    /// Who is signed in.
    pub(crate) session: SessionKey,
    /// Who that is.
    pub(crate) person: UserId,
    /// The app that they may see.
    pub(crate) app: AppId,
}

#[derive(Debug, Default)]
struct Reading {
    readers: usize,
    /// Whether the leave was found to be lost before.
    was_over: bool,
    over: CancellationToken,
}

/// One reader's place. It is given back when this is dropped.
#[derive(Debug)]
pub struct Attended {
    attendance: Attendance,
    leave: Leave,
    over: CancellationToken,
}

impl Attendance {
    /// Nothing that holds the lock can panic halfway, so a poisoned one is as good as any.
    fn lock(&self) -> MutexGuard<'_, HashMap<Leave, Reading>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a place for a reader.
    pub(crate) fn attend(&self, leave: Leave) -> Attended {
        let mut readings = self.lock();
        let reading = readings.entry(leave).or_default();
        reading.readers += 1;
        Attended { attendance: self.clone(), leave, over: reading.over.clone() }
    }

    /// What those who read are let in by.
    pub(crate) fn leaves(&self) -> Vec<Leave> {
        self.lock().keys().copied().collect()
    }

    /// Ends what is read by a leave that `lost` says is lost, if it was already the last time: whoever has lost the turn with
    /// it is told so by the turn's own last word first.
    pub(crate) fn end(&self, lost: impl Fn(&Leave) -> bool) {
        for (_, reading) in self.lock().iter_mut().filter(|(leave, _)| lost(leave)) {
            if reading.was_over {
                reading.over.cancel();
            }
            reading.was_over = true;
        }
    }
}

impl Attended {
    /// The stream for as long as the reader may read it.
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
        let mut readings = self.attendance.lock();
        if let Some(reading) = readings.get_mut(&self.leave) {
            reading.readers -= 1;
            if reading.readers == 0 {
                readings.remove(&self.leave);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leave(session: &str, app: i64) -> Leave {
        Leave { session: SessionKey::of(session), person: UserId::new(1), app: AppId::new(app) }
    }

    #[tokio::test]
    async fn a_leave_that_is_lost_ends_its_readers_and_nobody_elses() {
        let attendance = Attendance::default();
        let (lost, going_on) = (leave("one", 1), leave("other", 1));
        let read = |leave| attendance.attend(leave).while_it_lasts(futures::stream::repeat(1));
        let (first, second, other) = (read(lost), read(lost), read(going_on));
        assert_eq!(attendance.leaves().len(), 2);
        attendance.end(|leave| *leave == lost);
        assert_eq!(attendance.leaves().len(), 2, "not at the first look");
        attendance.end(|leave| *leave == lost);
        assert_eq!((first.count().await, second.count().await), (0, 0));
        assert_eq!(attendance.leaves(), [going_on], "who has left holds no place");
        assert_eq!(other.take(3).count().await, 3);
        assert_eq!(attendance.leaves(), []);
    }

    #[tokio::test]
    async fn a_place_in_one_app_that_is_lost_ends_nothing_in_another() {
        let attendance = Attendance::default();
        let read = |app| attendance.attend(leave("one", app)).while_it_lasts(futures::stream::repeat(1));
        let (left, stayed) = (read(1), read(2));
        for _ in 0..2 {
            attendance.end(|leave| leave.app == AppId::new(1));
        }
        assert_eq!((left.count().await, stayed.take(3).count().await), (0, 3));
    }
}
