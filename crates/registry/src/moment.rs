//! Distances between moments of a clock that may be set back.

use std::time::Duration;

use omni_domain::Timestamp;

/// How long after `earlier` it is; nothing if `earlier` is still to come.
pub(crate) fn elapsed(earlier: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(now - earlier).unwrap_or(Duration::ZERO)
}

/// The moment that is `wait` after `now`; the last one there is, if `wait` reaches beyond it.
pub(crate) fn after(now: Timestamp, wait: Duration) -> Timestamp {
    now.saturating_add(time::Duration::try_from(wait).unwrap_or(time::Duration::MAX))
}

/// The moment that is `wait` before `now`; the first one there is, if `wait` reaches beyond it.
pub(crate) fn before(now: Timestamp, wait: Duration) -> Timestamp {
    now.saturating_sub(time::Duration::try_from(wait).unwrap_or(time::Duration::MAX))
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn time_never_runs_backwards() {
        let noon = datetime!(2026-01-01 12:00 UTC);
        let later = after(noon, Duration::from_secs(90));
        assert_eq!(elapsed(noon, later), Duration::from_secs(90));
        assert_eq!(elapsed(later, noon), Duration::ZERO);
        assert_eq!(before(later, Duration::from_secs(90)), noon);
        assert!(before(noon, Duration::MAX) < noon && after(noon, Duration::MAX) > later);
    }
}
