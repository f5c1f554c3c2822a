//! How long to wait, spread at random so that many who wait do not come back at once.

use std::time::Duration;

use omni_domain::Entropy;

/// The shortest pause after a failure.
const SHORTEST: Duration = Duration::from_millis(250);
/// The longest.
const LONGEST: Duration = Duration::from_secs(5);

/// The pauses after failures in a row: from a quarter of a second to a limit that doubles up to five seconds.
#[derive(Debug, Default)]
pub(crate) struct Backoff {
    failures: u32,
}

impl Backoff {
    /// The pause after one more failure.
    pub(crate) fn next(&mut self, entropy: &dyn Entropy) -> Duration {
        self.failures = self.failures.saturating_add(1);
        let limit = SHORTEST.saturating_mul(1 << self.failures.min(10)).min(LONGEST);
        between(SHORTEST, limit, entropy)
    }

    /// Something succeeded.
    pub(crate) fn reset(&mut self) {
        self.failures = 0;
    }
}

/// A random part of an interval.
pub(crate) fn part_of(interval: Duration, entropy: &dyn Entropy) -> Duration {
    between(Duration::ZERO, interval, entropy)
}

/// An interval, up to a tenth shorter or longer.
pub(crate) fn about(interval: Duration, entropy: &dyn Entropy) -> Duration {
    between(interval - interval / 10, interval + interval / 10, entropy)
}

fn between(least: Duration, most: Duration, entropy: &dyn Entropy) -> Duration {
    let mut bytes = [0; 4];
    entropy.fill(&mut bytes);
    let part = f64::from(u32::from_be_bytes(bytes)) / f64::from(u32::MAX);
    least + most.saturating_sub(least).mul_f64(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Always the same byte.
    struct Constant(u8);

    impl Entropy for Constant {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(self.0);
        }
    }

    #[test]
    fn pauses_grow_to_a_limit_and_begin_anew() {
        let mut backoff = Backoff::default();
        let longest: Vec<_> = (0..6).map(|_| backoff.next(&Constant(0xff)).as_millis()).collect();
        assert_eq!(longest, [500, 1_000, 2_000, 4_000, 5_000, 5_000]);
        assert_eq!(backoff.next(&Constant(0)), SHORTEST);
        backoff.reset();
        assert_eq!(backoff.next(&Constant(0xff)).as_millis(), 500);
    }

    #[test]
    fn beats_are_spread_by_a_tenth() {
        let interval = Duration::from_secs(10);
        assert_eq!(about(interval, &Constant(0)), Duration::from_secs(9));
        assert_eq!(about(interval, &Constant(0xff)), Duration::from_secs(11));
        assert_eq!(part_of(interval, &Constant(0)), Duration::ZERO);
        assert_eq!(part_of(interval, &Constant(0xff)), interval);
    }
}
