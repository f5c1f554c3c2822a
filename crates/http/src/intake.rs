//! Memory for bodies on their way in: each request may be large, but not all of them at once.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use omni_domain::ErrorKind;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::ApiError;

/// The most bytes that the bodies of one API hold together.
const MOST: usize = 128 * 1024 * 1024;
/// What every body may hold without asking: most are smaller, and are never kept waiting by those that are not.
const FREE: usize = 64 * 1024;
/// How long a body waits for its share.
const PATIENCE: Duration = Duration::from_secs(2);
/// After how many seconds a client that got none may come back.
const RETRY: u32 = 5;

/// The room that the bodies of one API share.
#[derive(Debug, Clone)]
pub(crate) struct Intake {
    room: Arc<Semaphore>,
    patience: Duration,
}

impl Intake {
    pub(crate) fn new() -> Self {
        Self::of(MOST, PATIENCE)
    }

    fn of(bytes: usize, patience: Duration) -> Self {
        Self { room: Arc::new(Semaphore::new(bytes)), patience }
    }

    /// The share of a request that has just arrived: nothing yet.
    pub(crate) fn share(&self) -> Share {
        Share { intake: self.clone(), taken: Cell::new(0), permit: RefCell::new(None) }
    }
}

/// One request's part of the room, given back when the request has been answered.
pub(crate) struct Share {
    intake: Intake,
    taken: Cell<usize>,
    permit: RefCell<Option<OwnedSemaphorePermit>>,
}

impl fmt::Debug for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Share").field("taken", &self.taken.get()).finish_non_exhaustive()
    }
}

impl Share {
    /// Takes room for so many more bytes.
    ///
    /// # Errors
    /// If there is none for too long.
    async fn take(&self, bytes: usize) -> Result<(), ApiError> {
        let taken = self.taken.get();
        let due = (taken + bytes).saturating_sub(FREE) - taken.saturating_sub(FREE);
        if due > 0 {
            let permits = u32::try_from(due).map_err(ApiError::internal)?;
            let room = Arc::clone(&self.intake.room).acquire_many_owned(permits);
            let permit = match tokio::time::timeout(self.intake.patience, room).await {
                Ok(permit) => permit.map_err(ApiError::internal)?,
                Err(_) => return Err(no_room()),
            };
            match &mut *self.permit.borrow_mut() {
                Some(held) => held.merge(permit),
                none => *none = Some(permit),
            }
        }
        self.taken.set(taken + bytes);
        Ok(())
    }

    /// Gathers a body, or a part of one, of at most so many bytes.
    pub(crate) const fn gather(&self, most: usize) -> Gathered<'_> {
        Gathered { share: self, most, bytes: Vec::new() }
    }
}

fn no_room() -> ApiError {
    let detail = "the server is receiving as much as it can; try again in a moment";
    ApiError::new(ErrorKind::Unavailable, "too_much_at_once", detail).retry_in(RETRY)
}

/// Bytes as they come in. They hold no memory that their request has not taken.
pub(crate) struct Gathered<'a> {
    share: &'a Share,
    most: usize,
    bytes: Vec<u8>,
}

impl Gathered<'_> {
    /// How many there are so far.
    pub(crate) const fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Adds what has come.
    ///
    /// # Errors
    /// If there is no room for it.
    pub(crate) async fn add(&mut self, chunk: &[u8]) -> Result<(), ApiError> {
        let (needed, held) = (self.bytes.len() + chunk.len(), self.bytes.capacity());
        if needed > held {
            let capacity = (2 * held).min(self.most).max(needed);
            self.share.take(capacity - held).await?;
            self.bytes.reserve_exact(capacity - self.bytes.len());
        }
        self.bytes.extend_from_slice(chunk);
        Ok(())
    }

    /// All of them.
    pub(crate) fn finish(self) -> Bytes {
        self.bytes.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOMENT: Duration = Duration::from_millis(20);

    #[tokio::test]
    async fn what_does_not_fit_is_told_to_come_back() {
        let intake = Intake::of(3 * FREE, MOMENT);
        let (first, second) = (intake.share(), intake.share());
        let mut body = first.gather(10 * FREE);
        for _ in 0..3 {
            body.add(&[b'x'; FREE]).await.unwrap();
        }
        assert_eq!(body.len(), 3 * FREE, "one part of it is free");
        second.take(FREE).await.unwrap();
        let refusal = second.take(FREE).await.unwrap_err();
        assert_eq!((refusal.status().as_u16(), refusal.retry_after()), (503, Some(RETRY)));
        drop(body);
        assert!(second.take(FREE).await.is_err(), "the request is not over yet");
        drop(first);
        second.take(3 * FREE).await.unwrap();
    }

    #[tokio::test]
    async fn one_that_waits_gets_what_another_gives_back() {
        let intake = Intake::of(FREE, Duration::from_secs(20));
        let (first, second) = (intake.share(), intake.share());
        first.take(2 * FREE).await.unwrap();
        let (taken, ()) = futures::join!(second.take(2 * FREE), async { drop(first) });
        taken.unwrap();
    }

    #[tokio::test]
    async fn memory_grows_no_further_than_the_body_may() {
        let intake = Intake::of(1 << 20, MOMENT);
        let share = intake.share();
        let mut body = share.gather(3 * FREE);
        for _ in 0..3 {
            body.add(&[b'x'; FREE]).await.unwrap();
        }
        assert_eq!((share.taken.get(), body.finish().len()), (3 * FREE, 3 * FREE));
    }
}
