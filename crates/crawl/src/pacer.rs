//! How often a server is asked.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{Mutex as AsyncMutex, OwnedMutexGuard},
    time::{Instant, sleep_until, timeout_at},
};

use crate::origin::Origin;

/// The most origins that are remembered. One that is idle is forgotten for a new one.
const MAX_LANES: usize = 10_000;
/// The longest that a server can keep everybody waiting.
pub(crate) const LONGEST_BACK_OFF: Duration = Duration::from_secs(24 * 60 * 60);

/// Politeness: one request at a time to each origin, and a pause between their beginnings. One pacer serves all crawls of
/// a process, so that two of the same site do not ask twice as often. Its clock is tokio's, which tests can set.
#[derive(Debug, Default)]
pub struct Pacer {
    lanes: Mutex<HashMap<Origin, Arc<Lane>>>,
}

#[derive(Debug)]
struct Lane {
    turn: Arc<AsyncMutex<()>>,
    /// When the next request may begin.
    due: Mutex<Instant>,
}

/// The right to ask an origin one thing; it ends when dropped.
#[derive(Debug)]
pub struct Turn {
    lane: Arc<Lane>,
    _alone: OwnedMutexGuard<()>,
}

impl Pacer {
    /// A pacer that has seen nobody yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Waits until `origin` may be asked, and keeps everybody else waiting until the [`Turn`] is dropped and `pause` has
    /// passed since now. `None` if that takes longer than `patience`; if it is known to, at once.
    pub async fn turn(&self, origin: &Origin, pause: Duration, patience: Duration) -> Option<Turn> {
        let latest = Instant::now() + patience.min(LONGEST_BACK_OFF);
        let lane = self.lane(origin)?;
        if lane.due() > latest {
            return None;
        }
        let alone = timeout_at(latest, Arc::clone(&lane.turn).lock_owned()).await.ok()?;
        loop {
            let due = lane.due();
            if due > latest {
                return None;
            }
            sleep_until(due).await;
            // Somebody may have asked for a longer pause meanwhile.
            if lane.due() <= due {
                break;
            }
        }
        lane.not_before(Instant::now() + pause.min(LONGEST_BACK_OFF));
        Some(Turn { lane, _alone: alone })
    }

    fn lane(&self, origin: &Origin) -> Option<Arc<Lane>> {
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(lane) = lanes.get(origin) {
            return Some(Arc::clone(lane));
        }
        let now = Instant::now();
        if lanes.len() >= MAX_LANES {
            lanes.retain(|_, lane| Arc::strong_count(lane) > 1 || lane.due() > now);
        }
        if lanes.len() >= MAX_LANES {
            return None;
        }
        let lane = Arc::new(Lane { turn: Arc::default(), due: Mutex::new(now) });
        lanes.insert(origin.clone(), Arc::clone(&lane));
        Some(lane)
    }
}

impl Lane {
    fn due(&self) -> Instant {
        *self.due.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn not_before(&self, moment: Instant) {
        let mut due = self.due.lock().unwrap_or_else(PoisonError::into_inner);
        *due = (*due).max(moment);
    }
}

impl Turn {
    /// The server asked to be left alone for `wait`, of which at most a day is granted.
    pub fn back_off(&self, wait: Duration) {
        self.lane.not_before(Instant::now() + wait.min(LONGEST_BACK_OFF));
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Duration};

    use tokio::{task::JoinSet, time::Instant};

    use super::{MAX_LANES, Pacer};
    use crate::{origin::Origin, page_url::PageUrl};

    const SECOND: Duration = Duration::from_secs(1);
    const HOUR: Duration = Duration::from_secs(3_600);

    fn origin(url: &str) -> Origin {
        PageUrl::parse(url).unwrap().origin()
    }

    #[tokio::test(start_paused = true)]
    async fn requests_to_one_origin_begin_a_pause_apart() {
        let (pacer, origin, start) = (Pacer::new(), origin("https://a.example/"), Instant::now());
        let mut began = Vec::new();
        for _ in 0..4 {
            let _turn = pacer.turn(&origin, 2 * SECOND, HOUR).await.unwrap();
            began.push(start.elapsed().as_secs());
        }
        assert_eq!(began, [0, 2, 4, 6]);
    }

    #[tokio::test(start_paused = true)]
    async fn one_origin_is_asked_one_thing_at_a_time_and_others_meanwhile() {
        let pacer = Arc::new(Pacer::new());
        let start = Instant::now();
        let mut tasks = JoinSet::new();
        for url in ["https://a.example/", "https://a.example/2", "http://a.example/", "https://b.example/"] {
            let (pacer, origin) = (Arc::clone(&pacer), origin(url));
            tasks.spawn(async move {
                let _turn = pacer.turn(&origin, SECOND, HOUR).await.unwrap();
                tokio::time::sleep(10 * SECOND).await;
                (url, start.elapsed().as_secs())
            });
        }
        let mut ended = tasks.join_all().await;
        ended.sort_unstable();
        let [first, a, b, c] = ended.try_into().unwrap();
        assert_eq!(first, ("http://a.example/", 10));
        assert_eq!(c, ("https://b.example/", 10));
        let mut pair = [a.1, b.1];
        pair.sort_unstable();
        assert_eq!(pair, [10, 20]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_back_off_holds_for_all_and_is_not_waited_for_without_patience() {
        let (pacer, origin, start) = (Pacer::new(), origin("https://a.example/"), Instant::now());
        pacer.turn(&origin, SECOND, HOUR).await.unwrap().back_off(120 * SECOND);
        assert!(pacer.turn(&origin, SECOND, 60 * SECOND).await.is_none());
        assert_eq!(start.elapsed(), Duration::ZERO, "the answer is known at once");
        pacer.turn(&origin, SECOND, 120 * SECOND).await.unwrap();
        assert_eq!(start.elapsed(), 120 * SECOND);
    }

    #[tokio::test(start_paused = true)]
    async fn patience_ends_the_wait_for_somebody_elses_turn() {
        let (pacer, origin, start) = (Pacer::new(), origin("https://a.example/"), Instant::now());
        let turn = pacer.turn(&origin, SECOND, HOUR).await.unwrap();
        assert!(pacer.turn(&origin, SECOND, 5 * SECOND).await.is_none());
        assert_eq!(start.elapsed(), 5 * SECOND);
        drop(turn);
        pacer.turn(&origin, SECOND, Duration::ZERO).await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn idle_origins_are_forgotten_for_new_ones() {
        let pacer = Pacer::new();
        for nth in 0..MAX_LANES + 10 {
            let origin = origin(&format!("https://{nth}.example/"));
            // Half a millisecond each, so that the first are idle when the room is needed.
            pacer.turn(&origin, SECOND, HOUR).await.unwrap();
            tokio::time::advance(Duration::from_micros(500)).await;
        }
        assert!(pacer.lanes.lock().unwrap().len() <= MAX_LANES);
    }
}
