use omni_domain::{Clock, Entropy, Timestamp};

/// The system's clock, in microseconds: what PostgreSQL keeps, so that a moment reads back as it was written.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place where the time comes from")]
    fn now(&self) -> Timestamp {
        let now = Timestamp::now_utc();
        now - time::Duration::nanoseconds(i64::from(now.nanosecond() % 1_000))
    }
}

/// The operating system's generator of random numbers.
#[derive(Debug, Clone, Copy)]
pub struct OperatingSystem;

impl Entropy for OperatingSystem {
    #[expect(clippy::disallowed_methods, reason = "the one place where randomness comes from")]
    #[expect(clippy::expect_used, reason = "a system that gives no randomness after boot can't keep a secret either")]
    fn fill(&self, bytes: &mut [u8]) {
        getrandom::fill(bytes).expect("the operating system has a generator of random numbers");
    }
}
