//! Ends turns in the database, many at a time: whatever ends while one commit is on its way to the disk goes with the next.
//! Five hundred turns that end together cost a handful of commits.
//!
//! An end is not given up while the process lives. What cannot be written with the others is tried again by itself, so
//! that one row which somebody holds keeps no other turn waiting.

use std::sync::Arc;
use std::time::Duration;

use omni_persistence::{FinishedTurn, Store, StoreError};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

/// The most turns of one commit.
const MOST_AT_ONCE: usize = 256;
/// How many ended turns wait at most; the next one's task waits with them.
const WAITING: usize = 1_024;
/// How many ends that could not be written are tried again at the same time; beyond that, all others wait.
const MOST_STUBBORN: usize = 1_024;
/// How long whoever waits for an end is left without an answer. It is written all the same, if ever it can be.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long after a failed attempt the next one follows: at first, and at most.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// Where ended turns are handed in.
#[derive(Debug, Clone)]
pub(crate) struct Ledger {
    entries: mpsc::Sender<Entry>,
}

#[derive(Debug)]
struct Entry {
    finished: FinishedTurn,
    stored: oneshot::Sender<Stored>,
}

/// Whether the turn is in the database as it was handed in, or why nobody can say.
type Stored = Result<bool, Arc<StoreError>>;

impl Ledger {
    /// A ledger, and the task that keeps it until all who hand in are gone and all is written.
    pub(crate) fn new(store: Store) -> (Self, impl Future<Output = ()> + Send) {
        let (entries, waiting) = mpsc::channel(WAITING);
        (Self { entries }, keep(store, waiting))
    }

    /// Ends a turn, and answers when that is on the disk: whether it could be, for a turn that somebody else has ended, or
    /// whose conversation is gone, is left as it is.
    pub(crate) async fn finish(&self, finished: FinishedTurn) -> Stored {
        let (stored, outcome) = oneshot::channel();
        let gone = || Arc::new(StoreError::Unavailable("the ledger of turns is closed".into()));
        self.entries.send(Entry { finished, stored }).await.map_err(|_| gone())?;
        outcome.await.map_err(|_| gone())?
    }
}

async fn keep(store: Store, mut waiting: mpsc::Receiver<Entry>) {
    let mut entries = Vec::with_capacity(MOST_AT_ONCE);
    let mut stubborn = JoinSet::new();
    while waiting.recv_many(&mut entries, MOST_AT_ONCE).await > 0 {
        while stubborn.try_join_next().is_some() {}
        let (finished, told): (Vec<_>, Vec<_>) = entries.drain(..).map(|entry| (entry.finished, entry.stored)).unzip();
        match store.finish_turns(&finished).await {
            Ok(stored) => {
                for (one, told) in finished.iter().zip(told) {
                    // Whoever no longer waits for the answer has it in the database all the same.
                    let _ = told.send(Ok(stored.contains(&one.turn)));
                }
            }
            Err(error) => {
                tracing::warn!(turns = finished.len(), %error, cause = omni_domain::error_chain(&error), "turns cannot be ended yet");
                for (finished, stored) in finished.into_iter().zip(told) {
                    while stubborn.len() >= MOST_STUBBORN {
                        stubborn.join_next().await;
                    }
                    stubborn.spawn(insist(store.clone(), Entry { finished, stored }));
                }
            }
        }
    }
    while stubborn.join_next().await.is_some() {}
}

/// Ends one turn, however often that has to be tried.
async fn insist(store: Store, Entry { finished, stored }: Entry) {
    let turn = finished.turn;
    let finished = [finished];
    let (mut told, mut pause) = (Some(stored), FIRST_PAUSE);
    let overdue = tokio::time::Instant::now() + PATIENCE;
    loop {
        let error = match store.finish_turns(&finished).await {
            Ok(stored) => return tell(&mut told, Ok(stored.contains(&turn))),
            Err(error) => error,
        };
        if tokio::time::Instant::now() >= overdue {
            if told.is_some() {
                tracing::error!(%turn, cause = omni_domain::error_chain(&error), "a turn's end is still not stored");
            }
            tell(&mut told, Err(Arc::new(error)));
        }
        tokio::time::sleep(pause).await;
        pause = LONGEST_PAUSE.min(pause * 2);
    }
}

fn tell(told: &mut Option<oneshot::Sender<Stored>>, stored: Stored) {
    if let Some(told) = told.take() {
        let _ = told.send(stored);
    }
}
