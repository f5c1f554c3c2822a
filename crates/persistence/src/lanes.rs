use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use deadpool::managed::{Object, Pool, PoolError, TimeoutType, Timeouts};
use diesel::ConnectionError;
use tokio::runtime::{Handle, Id};

use crate::StoreError;
use crate::connection::Connector;

/// How long a caller waits for a connection of its own lane before it looks into the others.
const HOME_FIRST: Duration = Duration::from_millis(5);

/// A pool in parts, one for each runtime that asks.
///
/// A connection is driven by the runtime on which it was opened. Whoever uses it from another runtime wakes that one's
/// thread with every statement and is woken by it with every answer, which on a small machine costs as much as the
/// statement. A server has a runtime on each of its threads, so each keeps to connections of its own while it has any.
#[derive(Clone)]
pub(crate) struct Lanes(Arc<Inner>);

struct Inner {
    lanes: Vec<Pool<Connector>>,
    /// Whose lane is which, in the order in which they came. Runtimes beyond the number of lanes share the first.
    homes: RwLock<Vec<Id>>,
    patience: Duration,
}

impl fmt::Debug for Lanes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.lanes.iter().map(Pool::status)).finish()
    }
}

impl Lanes {
    /// Divides `connections` among as many lanes as there are threads that serve, and one for what goes on beside them.
    pub(crate) fn new(
        connections: usize,
        patience: Duration,
        pool: impl Fn(usize) -> Result<Pool<Connector>, StoreError>,
    ) -> Result<Self, StoreError> {
        let threads = std::thread::available_parallelism().map_or(1, Into::into);
        let count = (threads + 1).min(connections).max(1);
        // The first lane is that of the runtime which makes the store and serves nobody, so what is left over goes to others.
        let lanes = (1..=count).map(|lane| pool(connections * lane / count - connections * (lane - 1) / count));
        let lanes = lanes.collect::<Result<_, _>>()?;
        Ok(Self(Arc::new(Inner { lanes, homes: RwLock::default(), patience })))
    }

    /// Lends a connection: one of the caller's own runtime, or if they stay busy any other that is free.
    pub(crate) async fn lend(&self) -> Result<Object<Connector>, StoreError> {
        let Inner { lanes, patience, .. } = &*self.0;
        let home = lanes.get(self.home()).ok_or_else(|| StoreError::Unavailable("the pool has no lane".into()))?;
        if let Some(outcome) = self.lend_now(home).await {
            return outcome;
        }
        // The place in the queue at home is kept while the others are looked into.
        let patiently = self.waiting(*patience);
        let queued = home.timeout_get(&patiently);
        tokio::pin!(queued);
        if let Ok(outcome) = tokio::time::timeout(HOME_FIRST, &mut queued).await {
            return outcome.map_err(refused);
        }
        for lane in lanes {
            if let Some(outcome) = self.lend_now(lane).await {
                return outcome;
            }
        }
        queued.await.map_err(refused)
    }

    /// Lends a connection of the lane unless all are in use.
    async fn lend_now(&self, lane: &Pool<Connector>) -> Option<Result<Object<Connector>, StoreError>> {
        match lane.timeout_get(&self.waiting(Duration::ZERO)).await {
            Err(PoolError::Timeout(TimeoutType::Wait)) => None,
            outcome => Some(outcome.map_err(refused)),
        }
    }

    /// How many connections are in use, and how many may be.
    pub(crate) fn usage(&self) -> (usize, usize) {
        self.0.lanes.iter().map(Pool::status).fold((0, 0), |(used, most), status| {
            (used + status.size.saturating_sub(status.available), most + status.max_size)
        })
    }

    /// Closes the connections that nobody uses.
    pub(crate) fn renew(&self) {
        for lane in &self.0.lanes {
            lane.retain(|_, _| false);
        }
    }

    fn waiting(&self, wait: Duration) -> Timeouts {
        let patience = Some(self.0.patience);
        Timeouts { wait: Some(wait), create: patience, recycle: patience }
    }

    fn home(&self) -> usize {
        let Ok(id) = Handle::try_current().map(|runtime| runtime.id()) else { return 0 };
        let place = |homes: &Vec<Id>| homes.iter().position(|home| *home == id);
        let known = place(&self.0.homes.read().unwrap_or_else(PoisonError::into_inner));
        known.unwrap_or_else(|| {
            let mut homes = self.0.homes.write().unwrap_or_else(PoisonError::into_inner);
            place(&homes).unwrap_or_else(|| {
                if homes.len() == self.0.lanes.len() {
                    return 0;
                }
                homes.push(id);
                homes.len() - 1
            })
        })
    }
}

fn refused(error: PoolError<ConnectionError>) -> StoreError {
    match error {
        PoolError::Backend(error) => StoreError::Unavailable(Box::new(error)),
        other => StoreError::Unavailable(other.to_string().into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lanes(connections: usize) -> Lanes {
        Lanes::new(connections, Duration::from_secs(1), |size| {
            Pool::builder(
                Connector::new("postgresql://nobody@nowhere/nothing?sslmode=disable", Duration::from_secs(1)).unwrap(),
            )
            .max_size(size)
            .runtime(deadpool::Runtime::Tokio1)
            .build()
            .map_err(|error| StoreError::Unavailable(Box::new(error)))
        })
        .unwrap()
    }

    #[test]
    fn every_connection_is_in_a_lane_and_no_lane_is_without() {
        for connections in 1..=50 {
            let lanes = lanes(connections);
            assert_eq!(lanes.usage(), (0, connections));
            assert!(lanes.0.lanes.iter().all(|lane| lane.status().max_size > 0), "{connections}");
        }
    }

    #[test]
    fn a_runtime_keeps_its_lane() {
        let lanes = lanes(64);
        let runtime = || tokio::runtime::Builder::new_current_thread().build().unwrap();
        let (one, other) = (runtime(), runtime());
        let home = |runtime: &tokio::runtime::Runtime| runtime.block_on(async { lanes.home() });
        assert_eq!((home(&one), home(&other)), (0, 1));
        assert_eq!((home(&one), home(&other)), (0, 1));
        let many: Vec<_> = (0..200).map(|_| runtime()).collect();
        assert!(many.iter().all(|runtime| home(runtime) < lanes.0.lanes.len()));
        assert_eq!(many.last().map(home), Some(0));
    }
}
