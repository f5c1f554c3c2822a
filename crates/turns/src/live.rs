use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use omni_domain::{AppId, TurnId, UserId};
use omni_rbac::{Grant, Viewer};
use tokio_util::sync::CancellationToken;

use crate::TurnError;
use crate::event::{Done, Metadata};
use crate::log::{Outcome, Reader, TurnLog};

/// A turn that runs, or has ended a moment ago.
#[derive(Debug, Clone)]
pub struct Turn {
    pub(crate) metadata: Arc<Metadata>,
    pub(crate) log: Arc<TurnLog>,
    pub(crate) stop: CancellationToken,
    pub(crate) owner: UserId,
    pub(crate) app: AppId,
}

impl Turn {
    /// What is known of it from the beginning.
    #[must_use]
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// Reads it from behind the frame with this number; 0 reads from the beginning.
    #[must_use]
    pub fn reader(&self, after: u64) -> Reader {
        self.log.reader(after)
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// Why it failed.
    pub async fn done(&self) -> Result<Arc<Done>, Arc<TurnError>> {
        match self.log.ended().await {
            Outcome::Done(done) => Ok(done),
            Outcome::Failed(error) => Err(error),
        }
    }

    /// Stops it; what it has said so far is kept.
    pub fn cancel(&self) {
        self.stop.cancel();
    }
}

/// The turns of this process, those that ended a moment ago included: who lost the connection then can still come back.
#[derive(Debug)]
pub(crate) struct LiveTurns {
    turns: Mutex<HashMap<TurnId, Entry>>,
    most: usize,
    kept: Duration,
}

#[derive(Debug)]
struct Entry {
    turn: Turn,
    ended: Option<Instant>,
}

impl LiveTurns {
    /// At most `most` run at once; each is kept for `kept` after its end.
    pub(crate) fn new(most: usize, kept: Duration) -> Self {
        Self { turns: Mutex::default(), most, kept }
    }

    /// Nothing that holds the lock can panic halfway, so a poisoned one is as good as any.
    fn lock(&self) -> MutexGuard<'_, HashMap<TurnId, Entry>> {
        self.turns.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether another one may begin.
    pub(crate) fn has_room(&self) -> bool {
        self.lock().values().filter(|entry| entry.ended.is_none()).count() < self.most
    }

    pub(crate) fn insert(&self, turn: Turn) {
        self.lock().insert(turn.metadata.turn_id, Entry { turn, ended: None });
    }

    pub(crate) fn end(&self, id: TurnId, now: Instant) {
        if let Some(entry) = self.lock().get_mut(&id) {
            entry.ended = Some(now);
        }
    }

    /// Forgets the turns that ended too long ago.
    pub(crate) fn sweep(&self, now: Instant) {
        let kept = self.kept;
        self.lock().retain(|_, entry| entry.ended.is_none_or(|ended| now.duration_since(ended) < kept));
    }

    /// The turn, if it is the grant holder's own in the grant's app.
    pub(crate) fn find(&self, grant: &Grant<Viewer>, id: TurnId) -> Option<Turn> {
        let turns = self.lock();
        let turn = &turns.get(&id)?.turn;
        (turn.owner == grant.actor() && turn.app == grant.app()).then(|| turn.clone())
    }

    /// Stops the turns that `wanted` picks.
    pub(crate) fn cancel(&self, wanted: impl Fn(&Turn) -> bool) {
        self.lock()
            .values()
            .filter(|entry| entry.ended.is_none() && wanted(&entry.turn))
            .for_each(|entry| entry.turn.cancel());
    }
}
