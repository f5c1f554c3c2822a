use omni_domain::Timestamp;

use crate::words::words;
use crate::{Due, Metrics, Reason, Seq, Status};

words! {
    /// How a lease stands.
    Phase {
        /// The holder beats.
        Live => "live",
        /// The holder has been silent for two intervals; it is still addressed.
        Suspect => "suspect",
        /// The holder has been silent for three; it is addressed no more, and may be replaced or come back.
        Expired => "expired",
        /// A newer incarnation took the slot. Final.
        Superseded => "superseded",
        /// The holder, or its parent, said that it has ended. Final.
        Deregistered => "deregistered",
    }
}

impl Phase {
    /// Whether commands and events go to the holder.
    #[must_use]
    pub const fn is_addressed(self) -> bool {
        matches!(self, Self::Live | Self::Suspect)
    }

    /// Whether the lease has ended for good.
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Superseded | Self::Deregistered)
    }
}

/// What one incarnation's heartbeats made of its registration.
#[derive(Debug, Clone, PartialEq)]
pub struct Lease {
    /// How it stands.
    pub phase: Phase,
    /// Since when it stands so.
    pub since: Timestamp,
    /// When it was last renewed, by a registration or a beat.
    pub last_seen: Timestamp,
    /// What the holder last said of itself; none before its first beat.
    pub status: Option<Status>,
    /// What it last measured.
    pub metrics: Option<Metrics>,
    /// The highest number of a beat since it last registered.
    pub seq: Option<Seq>,
    /// Why it was deregistered.
    pub reason: Option<Reason>,
}

impl Lease {
    /// The lease of a service that has just registered.
    pub(crate) const fn granted(now: Timestamp) -> Self {
        Self { phase: Phase::Live, since: now, last_seen: now, status: None, metrics: None, seq: None, reason: None }
    }

    /// The same lease, renewed. A clock that was set back never shortens it; sweeping corrects what was set ahead.
    pub(crate) fn renewed(&self, now: Timestamp) -> Self {
        Self { last_seen: self.last_seen.max(now), ..self.clone() }.entering(Phase::Live, now)
    }

    /// The same lease in another phase.
    pub(crate) fn entering(self, phase: Phase, now: Timestamp) -> Self {
        let since = if self.phase == phase { self.since } else { now };
        Self { phase, since, ..self }
    }

    /// Whether a beat of that number comes after one that was sent later.
    pub(crate) fn has_heard(&self, seq: Option<Seq>) -> bool {
        matches!((self.seq, seq), (Some(heard), Some(seq)) if seq <= heard)
    }

    /// Whether the service can be counted on: it beats, and does not say that it is unhealthy.
    #[must_use]
    pub fn is_up(&self) -> bool {
        self.phase == Phase::Live && self.status != Some(Status::Unhealthy)
    }

    /// Whether an addressed holder has been silent long enough to be suspect.
    #[must_use]
    pub fn is_silent(&self, due: &Due) -> bool {
        self.phase.is_addressed() && self.last_seen <= due.silent
    }

    /// Whether an addressed holder has been silent for as long as the lease lasts.
    #[must_use]
    pub fn is_overdue(&self, due: &Due) -> bool {
        self.phase.is_addressed() && self.last_seen <= due.overdue
    }

    pub(crate) fn is_from_the_future(&self, due: &Due) -> bool {
        self.phase.is_addressed() && self.last_seen > due.from_the_future
    }

    pub(crate) fn is_forgotten(&self, due: &Due) -> bool {
        !self.phase.is_addressed() && self.since <= due.forgotten
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use time::macros::datetime;

    use super::*;
    use crate::Terms;

    const NOON: Timestamp = datetime!(2026-01-01 12:00 UTC);

    fn after_noon(seconds: u64) -> Timestamp {
        NOON + Duration::from_secs(seconds)
    }

    fn due(seconds: u64) -> Due {
        Terms::default().due(after_noon(seconds))
    }

    #[test]
    fn silence_is_measured_from_the_last_renewal() {
        let lease = Lease::granted(NOON);
        assert!(!lease.is_silent(&due(19)) && lease.is_silent(&due(20)));
        assert!(!lease.is_overdue(&due(29)) && lease.is_overdue(&due(30)));
        let renewed = lease.renewed(after_noon(25));
        assert!(!renewed.is_silent(&due(44)) && renewed.is_silent(&due(45)));
    }

    #[test]
    fn what_is_no_longer_addressed_is_not_silent() {
        for phase in [Phase::Expired, Phase::Superseded, Phase::Deregistered] {
            let lease = Lease::granted(NOON).entering(phase, NOON);
            assert!(!lease.is_silent(&due(3600)) && !lease.is_overdue(&due(3600)));
        }
    }

    #[test]
    fn what_is_far_ahead_was_set_by_a_clock_that_ran_ahead() {
        let lease = Lease::granted(after_noon(3605));
        assert!(lease.is_from_the_future(&due(3599)) && !lease.is_from_the_future(&due(3600)));
        assert!(!lease.entering(Phase::Expired, NOON).is_from_the_future(&due(0)));
    }

    #[test]
    fn what_is_over_is_forgotten_after_a_week() {
        let week = Terms::RETENTION.as_secs();
        for phase in [Phase::Expired, Phase::Superseded, Phase::Deregistered] {
            let lease = Lease::granted(NOON).entering(phase, after_noon(9));
            assert!(!lease.is_forgotten(&due(week + 8)) && lease.is_forgotten(&due(week + 9)));
        }
        assert!(!Lease::granted(NOON).is_forgotten(&due(week)));
    }

    #[test]
    fn a_phase_remembers_when_it_began() {
        let later = NOON + Duration::from_secs(20);
        let lease = Lease::granted(NOON);
        assert_eq!(lease.renewed(later).since, NOON);
        assert_eq!(lease.entering(Phase::Suspect, later).since, later);
    }

    #[test]
    fn a_service_is_up_unless_it_is_silent_or_says_otherwise() {
        let lease = Lease::granted(NOON);
        let saying = |status| Lease { status: Some(status), ..lease.clone() };
        assert!(lease.is_up() && saying(Status::Healthy).is_up() && saying(Status::Degraded).is_up());
        assert!(!saying(Status::Unhealthy).is_up());
        assert!(!lease.entering(Phase::Suspect, NOON).is_up());
    }

    #[test]
    fn beats_count_up() {
        assert_eq!(Seq::new(-1).unwrap_err().field, "seq");
        let seq = |number| Some(Seq::new(number).unwrap());
        let lease = Lease { seq: seq(5), ..Lease::granted(NOON) };
        assert!(lease.has_heard(seq(4)) && lease.has_heard(seq(5)));
        assert!(!lease.has_heard(seq(6)) && !lease.has_heard(None));
    }
}
