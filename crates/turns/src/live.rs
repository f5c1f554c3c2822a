use std::collections::{BTreeSet, HashMap, VecDeque};
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
    turns: Mutex<State>,
    most: usize,
    kept: Duration,
}

#[derive(Debug, Default)]
struct State {
    running: HashMap<TurnId, Turn>,
    ended: HashMap<TurnId, Turn>,
    /// When each of the ended ones did, oldest first.
    order: VecDeque<(Instant, TurnId)>,
}

impl State {
    fn get(&self, id: TurnId) -> Option<&Turn> {
        self.running.get(&id).or_else(|| self.ended.get(&id))
    }

    fn forget_oldest(&mut self) {
        if let Some((_, id)) = self.order.pop_front() {
            self.ended.remove(&id);
        }
    }
}

/// How many turns that have ended are kept at most: their answers are in memory.
const MOST_ENDED: usize = 1_000;

impl LiveTurns {
    /// At most `most` run at once; each is kept for `kept` after its end.
    pub(crate) fn new(most: usize, kept: Duration) -> Self {
        Self { turns: Mutex::default(), most, kept }
    }

    /// Nothing that holds the lock can panic halfway, so a poisoned one is as good as any.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.turns.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether another one may begin.
    pub(crate) fn has_room(&self) -> bool {
        self.lock().running.len() < self.most
    }

    pub(crate) fn insert(&self, turn: Turn) {
        self.lock().running.insert(turn.metadata.turn_id, turn);
    }

    pub(crate) fn end(&self, id: TurnId, now: Instant) {
        let mut turns = self.lock();
        if let Some(turn) = turns.running.remove(&id) {
            turns.ended.insert(id, turn);
            turns.order.push_back((now, id));
        }
        if turns.order.len() > MOST_ENDED {
            turns.forget_oldest();
        }
    }

    /// Forgets the turns that ended too long ago.
    pub(crate) fn sweep(&self, now: Instant) {
        let mut turns = self.lock();
        while turns.order.front().is_some_and(|(ended, _)| now.duration_since(*ended) >= self.kept) {
            turns.forget_oldest();
        }
    }

    /// The turn, if it is the grant holder's own in the grant's app.
    pub(crate) fn find(&self, grant: &Grant<Viewer>, id: TurnId) -> Option<Turn> {
        let turns = self.lock();
        let turn = turns.get(id)?;
        (turn.owner == grant.actor() && turn.app == grant.app()).then(|| turn.clone())
    }

    /// Who has running turns, and in which app.
    pub(crate) fn askers(&self) -> Vec<(UserId, AppId)> {
        let askers: BTreeSet<_> = self.lock().running.values().map(|turn| (turn.owner, turn.app)).collect();
        askers.into_iter().collect()
    }

    /// Stops the turns that `wanted` picks.
    pub(crate) fn cancel(&self, wanted: impl Fn(&Turn) -> bool) {
        self.lock().running.values().filter(|turn| wanted(turn)).for_each(Turn::cancel);
    }
}
