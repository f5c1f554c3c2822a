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
    limits: Limits,
}

/// How much is kept in memory.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// The most turns that run at once.
    pub(crate) most: usize,
    /// How long each is kept after its end.
    pub(crate) kept: Duration,
    /// The most bytes that the turns hold together which have ended. Those that run are bounded by the longest answer.
    pub(crate) bytes: usize,
}

#[derive(Debug, Default)]
struct State {
    running: HashMap<TurnId, Turn>,
    ended: HashMap<TurnId, Turn>,
    /// When each of the ended ones did and how many bytes it holds, oldest first.
    order: VecDeque<(Instant, TurnId, usize)>,
    /// The bytes of all of them.
    bytes: usize,
}

impl State {
    fn get(&self, id: TurnId) -> Option<&Turn> {
        self.running.get(&id).or_else(|| self.ended.get(&id))
    }

    fn forget_oldest(&mut self) {
        if let Some((_, id, bytes)) = self.order.pop_front() {
            self.ended.remove(&id);
            self.bytes -= bytes;
        }
    }
}

/// How many turns that have ended are kept at most, however short their answers.
const MOST_ENDED: usize = 1_000;

impl LiveTurns {
    pub(crate) fn new(limits: Limits) -> Self {
        Self { turns: Mutex::default(), limits }
    }

    /// Nothing that holds the lock can panic halfway, so a poisoned one is as good as any.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.turns.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether another one may begin.
    pub(crate) fn has_room(&self) -> bool {
        self.lock().running.len() < self.limits.most
    }

    pub(crate) fn insert(&self, turn: Turn) {
        self.lock().running.insert(turn.metadata.turn_id, turn);
    }

    /// Keeps a turn that has ended, and forgets as many of the oldest as that takes.
    pub(crate) fn end(&self, id: TurnId, now: Instant) {
        let Some(log) = self.lock().get(id).map(|turn| Arc::clone(&turn.log)) else { return };
        let bytes = log.settle();
        let mut turns = self.lock();
        if let Some(turn) = turns.running.remove(&id) {
            turns.ended.insert(id, turn);
            turns.order.push_back((now, id, bytes));
            turns.bytes += bytes;
        }
        while turns.order.len() > MOST_ENDED || turns.bytes > self.limits.bytes {
            turns.forget_oldest();
        }
    }

    /// Forgets the turns that ended too long ago.
    pub(crate) fn sweep(&self, now: Instant) {
        let mut turns = self.lock();
        while turns.order.front().is_some_and(|(ended, ..)| now.duration_since(*ended) >= self.limits.kept) {
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

#[cfg(test)]
mod tests {
    use omni_domain::{AgentId, ConversationId, MessageId};

    use super::*;
    use crate::Event;
    use crate::event::Frames;

    const ROOM: usize = 10_000;

    fn turns() -> LiveTurns {
        LiveTurns::new(Limits { most: 10, kept: Duration::from_secs(300), bytes: ROOM })
    }

    /// Runs a turn that says so many bytes and then fails.
    fn run(turns: &LiveTurns, id: i64, bytes: usize) {
        let turn = Turn {
            metadata: Arc::new(Metadata {
                turn_id: TurnId::new(id),
                conversation_id: ConversationId::new(1),
                message_id: MessageId::new(id),
                agent_id: AgentId::new(1),
                agent_name: "Ada".to_owned(),
                has_memory: true,
                provider: "local".to_owned(),
                model: "echo".to_owned(),
                files: Vec::new(),
            }),
            log: TurnLog::new(),
            stop: CancellationToken::new(),
            owner: UserId::new(1),
            app: AppId::new(1),
        };
        turns.insert(turn.clone());
        let mut frames = Frames::default();
        frames.push(&Event::Token { content: &"x".repeat(bytes) });
        turn.log.append(&mut frames);
        let last = Event::Error { code: "cancelled", message: "" };
        turn.log.end(&mut frames, &last, Outcome::Failed(Arc::new(TurnError::Cancelled)));
        turns.end(TurnId::new(id), Instant::now());
    }

    fn kept(turns: &LiveTurns) -> Vec<i64> {
        let turns = turns.lock();
        (0..10).filter(|id| turns.get(TurnId::new(*id)).is_some()).collect()
    }

    #[test]
    fn what_has_ended_holds_only_so_much_memory() {
        let turns = turns();
        for id in 0..4 {
            run(&turns, id, ROOM / 4);
        }
        assert_eq!(kept(&turns), [1, 2, 3], "the oldest goes first");
        run(&turns, 4, 10);
        assert_eq!(kept(&turns), [1, 2, 3, 4]);
        run(&turns, 5, ROOM);
        assert_eq!(kept(&turns), [0; 0], "one that alone is too large takes all others with it");
        assert_eq!(turns.lock().bytes, 0);
    }

    #[test]
    fn what_ended_long_ago_is_forgotten_with_its_bytes() {
        let turns = turns();
        run(&turns, 1, 100);
        turns.sweep(Instant::now() + Duration::from_secs(299));
        assert_eq!(kept(&turns), [1]);
        turns.sweep(Instant::now() + Duration::from_secs(301));
        assert_eq!((kept(&turns).len(), turns.lock().bytes), (0, 0));
    }
}
