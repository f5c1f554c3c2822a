//! Asking again, for what may pass by itself.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use crate::chance::Chance;
use crate::error::ModelError;

/// How often one request is sent.
const MOST_ATTEMPTS: u32 = 4;
/// How often the requests of one call are sent again, all together: a provider that fails half of them is not asked for
/// the other half twice.
const MOST_RETRIES: u32 = 8;
/// The longest first pause; each further one may be twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(20);
/// The longest that a provider may ask to wait. Who asks for more is not asked again: the caller is told, and comes back.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(60);

/// The patience of one call with its provider.
///
/// Pauses have full jitter: their length is any up to a limit that doubles (Brooker, "Exponential Backoff And Jitter", AWS
/// Architecture Blog, 2015), so that many who were refused together do not come back together.
#[derive(Debug)]
pub(super) struct Retries {
    chance: Chance,
    left: AtomicU32,
    /// When the whole call is late.
    end: Instant,
}

impl Retries {
    pub(super) const fn new(chance: Chance, end: Instant) -> Self {
        Self { chance, left: AtomicU32::new(MOST_RETRIES), end }
    }

    pub(super) const fn end(&self) -> Instant {
        self.end
    }

    /// How long to wait before the next attempt, if there is to be one.
    pub(super) fn pause(&self, failures: u32, error: &ModelError, now: Instant) -> Option<Duration> {
        if !error.is_passing() || failures >= MOST_ATTEMPTS {
            return None;
        }
        let limit = FIRST_PAUSE.saturating_mul(1 << (failures - 1).min(10)).min(LONGEST_PAUSE);
        let pause = match error.retry_after() {
            Some(asked) if asked > LONGEST_RETRY_AFTER => return None,
            // Not a moment before the provider said, and not all at that moment either.
            Some(asked) => asked + self.chance.part_of(FIRST_PAUSE),
            None => self.chance.part_of(limit),
        };
        let in_time = now + pause < self.end;
        (in_time && self.take_one()).then_some(pause)
    }

    fn take_one(&self) -> bool {
        let one_less = |left: u32| left.checked_sub(1);
        self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use omni_domain::Entropy;

    use super::*;
    use crate::error::WaitedFor;

    struct Constant(u8);

    impl Entropy for Constant {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(self.0);
        }
    }

    const OVERLOADED: ModelError = ModelError::Overloaded { status: Some(503), retry_after: None };

    fn limited(seconds: u64) -> ModelError {
        ModelError::RateLimited { retry_after: Some(Duration::from_secs(seconds)) }
    }

    fn retries(byte: u8, left: Duration) -> (Retries, Instant) {
        let now = Instant::now();
        (Retries::new(Chance::of(Arc::new(Constant(byte))), now + left), now)
    }

    const HOUR: Duration = Duration::from_secs(3_600);

    #[test]
    fn pauses_are_any_up_to_a_limit_that_doubles() {
        for (byte, expected) in [(0, [0, 0, 0]), (255, [500, 1_000, 2_000])] {
            let (retries, now) = retries(byte, HOUR);
            for (failures, millis) in (1..).zip(expected) {
                assert_eq!(retries.pause(failures, &OVERLOADED, now), Some(Duration::from_millis(millis)));
            }
            assert_eq!(retries.pause(MOST_ATTEMPTS, &OVERLOADED, now), None);
        }
    }

    #[test]
    fn what_a_provider_asks_for_is_waited_but_not_for_ever() {
        let (retries, now) = retries(0, HOUR);
        assert_eq!(retries.pause(1, &limited(7), now), Some(Duration::from_secs(7)));
        assert_eq!(retries.pause(1, &limited(60), now), Some(Duration::from_secs(60)));
        assert_eq!(retries.pause(1, &limited(61), now), None);
    }

    #[test]
    fn those_who_were_asked_to_wait_do_not_come_back_together() {
        let (retries, now) = retries(255, HOUR);
        assert_eq!(retries.pause(1, &limited(7), now), Some(Duration::from_millis(7_500)));
    }

    #[test]
    fn a_pause_beyond_the_deadline_is_not_begun() {
        let (retries, now) = retries(0, Duration::from_secs(5));
        assert_eq!(retries.pause(1, &limited(5), now), None);
        assert_eq!(retries.pause(1, &limited(4), now), Some(Duration::from_secs(4)));
    }

    #[test]
    fn a_call_has_so_many_retries_for_all_of_its_requests() {
        let (retries, now) = retries(0, HOUR);
        for _ in 0..MOST_RETRIES {
            assert!(retries.pause(1, &OVERLOADED, now).is_some());
        }
        assert_eq!(retries.pause(1, &OVERLOADED, now), None);
    }

    #[test]
    fn what_does_not_pass_is_not_asked_again() {
        let (retries, now) = retries(0, HOUR);
        let late = |waited_for| ModelError::TimedOut { waited_for, after: HOUR };
        for error in [
            ModelError::CredentialsRefused,
            ModelError::BadRequest { message: String::new() },
            ModelError::Malformed { what: "x" },
            late(WaitedFor::End),
        ] {
            assert_eq!(retries.pause(1, &error, now), None, "{error}");
        }
        for error in [ModelError::CutOff { source: None }, late(WaitedFor::FirstByte), late(WaitedFor::NextByte)] {
            assert!(retries.pause(1, &error, now).is_some(), "{error}");
        }
    }
}
