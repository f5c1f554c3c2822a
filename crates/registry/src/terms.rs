use std::time::Duration;

use omni_domain::Invalid;

/// The shortest interval between heartbeats.
const SHORTEST: Duration = Duration::from_secs(1);
/// The longest interval between heartbeats.
const LONGEST: Duration = Duration::from_secs(60);

/// The terms of a lease. One number decides all of them: how often a service is to beat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    heartbeat_interval: Duration,
}

impl Terms {
    /// How long ended incarnations are remembered.
    pub const RETENTION: Duration = Duration::from_secs(7 * 24 * 60 * 60);

    /// The terms of a lease whose holder beats that often.
    ///
    /// # Errors
    /// When the interval is not from one second to one minute; the field is `heartbeatIntervalMs`.
    pub fn new(heartbeat_interval: Duration) -> Result<Self, Invalid> {
        if (SHORTEST..=LONGEST).contains(&heartbeat_interval) {
            return Ok(Self { heartbeat_interval });
        }
        Err(Invalid::new("heartbeatIntervalMs", "must be from 1000 to 60000"))
    }

    /// How often the holder beats.
    #[must_use]
    pub const fn heartbeat_interval(&self) -> Duration {
        self.heartbeat_interval
    }

    /// After how long a silence the holder is suspect: two intervals.
    #[must_use]
    pub fn suspect_after(&self) -> Duration {
        self.heartbeat_interval * 2
    }

    /// After how long a silence the lease expires: three intervals.
    #[must_use]
    pub fn lease_ttl(&self) -> Duration {
        self.heartbeat_interval * 3
    }

    /// How often to sweep: twice an interval.
    #[must_use]
    pub fn sweep_interval(&self) -> Duration {
        self.heartbeat_interval / 2
    }

    /// How far the wall clock may drift from the monotonic one before it counts as a step: half an interval.
    ///
    /// A drift stays unseen in both directions, so silence is measured wrongly by up to one interval. That is what lies
    /// between [`Terms::suspect_after`] and [`Terms::lease_ttl`]: whoever beats within two intervals keeps the lease.
    #[must_use]
    pub fn clock_tolerance(&self) -> Duration {
        self.heartbeat_interval / 2
    }

    /// The longest pause between two sweeps after which a silence still counts: one sweep may fail.
    #[must_use]
    pub fn longest_pause(&self) -> Duration {
        self.sweep_interval() * 3
    }
}

impl Default for Terms {
    /// Beats every ten seconds; suspect after twenty, expired after thirty.
    fn default() -> Self {
        Self { heartbeat_interval: Duration::from_secs(10) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documented_numbers() {
        let terms = Terms::default();
        assert_eq!(terms.heartbeat_interval(), Duration::from_secs(10));
        assert_eq!(terms.suspect_after(), Duration::from_secs(20));
        assert_eq!(terms.lease_ttl(), Duration::from_secs(30));
        assert_eq!(terms.sweep_interval(), Duration::from_secs(5));
        assert_eq!(terms.clock_tolerance(), Duration::from_secs(5));
        assert_eq!(terms.lease_ttl() - terms.clock_tolerance() * 2, terms.suspect_after());
    }

    #[test]
    fn an_interval_is_from_a_second_to_a_minute() {
        assert!(Terms::new(Duration::from_secs(1)).is_ok() && Terms::new(Duration::from_secs(60)).is_ok());
        for interval in [Duration::ZERO, Duration::from_millis(999), Duration::from_millis(60_001)] {
            assert_eq!(Terms::new(interval).unwrap_err().field, "heartbeatIntervalMs");
        }
    }
}
