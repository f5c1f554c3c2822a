//! Ends turns in the database, many at a time: whatever ends while one commit is on its way to the disk goes with the next.
//! Five hundred turns that end together cost a handful of commits, and wait for no row that another one holds.

use std::sync::Arc;
use std::time::Duration;

use omni_domain::{ErrorKind, Failure};
use omni_persistence::{FinishedTurn, Store, StoreError};
use tokio::sync::{mpsc, oneshot};

/// The most turns of one commit.
const MOST_AT_ONCE: usize = 256;
/// How many ended turns wait at most; the next one's task waits with them.
const WAITING: usize = 1_024;
/// How often ending turns is tried again while the database is away, and how long in between: 30 s in all.
const ATTEMPTS: u32 = 30;
const PAUSE: Duration = Duration::from_secs(1);

/// Where ended turns are handed in.
#[derive(Debug, Clone)]
pub(crate) struct Ledger {
    entries: mpsc::Sender<Entry>,
}

#[derive(Debug)]
struct Entry {
    finished: FinishedTurn,
    stored: oneshot::Sender<Result<(), Arc<StoreError>>>,
}

impl Ledger {
    /// A ledger, and the task that keeps it until all who hand in are gone.
    pub(crate) fn new(store: Store) -> (Self, impl Future<Output = ()> + Send) {
        let (entries, waiting) = mpsc::channel(WAITING);
        (Self { entries }, keep(store, waiting))
    }

    /// Ends a turn, and answers when that is on the disk.
    pub(crate) async fn finish(&self, finished: FinishedTurn) -> Result<(), Arc<StoreError>> {
        let (stored, outcome) = oneshot::channel();
        let gone = || Arc::new(StoreError::Unavailable("the ledger of turns is closed".into()));
        self.entries.send(Entry { finished, stored }).await.map_err(|_| gone())?;
        outcome.await.map_err(|_| gone())?
    }
}

async fn keep(store: Store, mut waiting: mpsc::Receiver<Entry>) {
    let mut entries = Vec::with_capacity(MOST_AT_ONCE);
    while waiting.recv_many(&mut entries, MOST_AT_ONCE).await > 0 {
        let (finished, stored): (Vec<_>, Vec<_>) =
            entries.drain(..).map(|entry| (entry.finished, entry.stored)).unzip();
        let outcome = finish(&store, &finished).await.map_err(Arc::new);
        if outcome.is_ok() || finished.len() == 1 {
            // Whoever no longer waits for the answer has it in the database all the same.
            stored.into_iter().for_each(|stored| drop(stored.send(outcome.clone())));
            continue;
        }
        // One entry that the database refuses must not take the others with it.
        for (finished, stored) in finished.into_iter().zip(stored) {
            let _ = stored.send(finish(&store, &[finished]).await.map_err(Arc::new));
        }
    }
}

async fn finish(store: &Store, finished: &[FinishedTurn]) -> Result<(), StoreError> {
    let mut attempt = 1;
    loop {
        match store.finish_turns(finished).await {
            Err(error) if error.kind() == ErrorKind::Unavailable && attempt < ATTEMPTS => {
                tracing::warn!(turns = finished.len(), attempt, %error, "turns cannot be ended yet");
                attempt += 1;
                tokio::time::sleep(PAUSE).await;
            }
            outcome => return outcome,
        }
    }
}
