use std::sync::{Arc, Mutex};

use omni_api::SystemClock;
use omni_domain::{Clock, Entropy, Timestamp};
use sha2::{Digest, Sha256};
use time::Duration;
use time::macros::datetime;

/// A clock that stands still until a test moves it. Clones show the same time.
#[derive(Debug, Clone)]
pub struct ManualClock(Arc<Mutex<Timestamp>>);

impl Default for ManualClock {
    /// A Thursday noon, in the middle of a minute.
    fn default() -> Self {
        Self::at(datetime!(2026-01-15 12:00:20 UTC))
    }
}

impl ManualClock {
    /// A clock that shows this moment.
    #[must_use]
    pub fn at(moment: Timestamp) -> Self {
        Self(Arc::new(Mutex::new(moment)))
    }

    /// A clock that shows what the machine's own shows now, for dealings with somebody who looks at that one.
    #[must_use]
    pub fn at_this_moment() -> Self {
        Self::at(SystemClock.now())
    }

    /// Moves it on.
    pub fn advance(&self, by: Duration) {
        *self.0.lock().unwrap() += by;
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }
}

/// Randomness that is the same for the same seed.
#[derive(Debug)]
pub struct SeededEntropy {
    seed: u64,
    drawn: Mutex<u64>,
}

impl SeededEntropy {
    /// Starts from a seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self { seed, drawn: Mutex::new(0) }
    }
}

impl Entropy for SeededEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        let mut drawn = self.drawn.lock().unwrap();
        for chunk in bytes.chunks_mut(32) {
            *drawn += 1;
            let block =
                Sha256::new().chain_update(self.seed.to_be_bytes()).chain_update(drawn.to_be_bytes()).finalize();
            chunk.copy_from_slice(&block[..chunk.len()]);
        }
    }
}
