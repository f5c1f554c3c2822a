use omni_domain::{Invalid, Timestamp};
use serde::{Deserialize, Serialize};

use crate::moment::elapsed;
use crate::words::words;
use crate::{CommandId, Terms};

/// The longest reason, in characters.
const LONGEST_REASON: usize = 200;
/// The most acknowledgements that one beat carries.
const MOST_ACKS: usize = 64;

words! {
    /// How a service says that it is.
    Status {
        /// All is well.
        Healthy => "healthy",
        /// It works, with less than it should have.
        Degraded => "degraded",
        /// It does not work.
        Unhealthy => "unhealthy",
    }
}

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

    /// Whether an addressed holder has been silent long enough to be suspect, by `now`.
    #[must_use]
    pub fn is_silent(&self, terms: &Terms, now: Timestamp) -> bool {
        self.phase.is_addressed() && elapsed(self.last_seen, now) >= terms.suspect_after()
    }

    /// Whether an addressed holder has been silent for as long as the lease lasts, by `now`.
    #[must_use]
    pub fn is_overdue(&self, terms: &Terms, now: Timestamp) -> bool {
        self.phase.is_addressed() && elapsed(self.last_seen, now) >= terms.lease_ttl()
    }
}

/// The place of a beat among the beats of one process, which counts them up. With it, a beat that the network delayed
/// or repeated does no harm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Seq(i64);

impl Seq {
    /// Checks a number.
    ///
    /// # Errors
    /// When it is negative; the field is `seq`.
    pub fn new(number: i64) -> Result<Self, Invalid> {
        if number < 0 {
            return Err(Invalid::new("seq", "must not be negative"));
        }
        Ok(Self(number))
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }
}

/// What a service measures of itself. The latest measurement replaces the one before.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Metrics {
    /// Its use of processors, in the service's own unit.
    pub cpu: f64,
    /// Its use of memory, in the service's own unit.
    pub memory: f64,
    /// Its open connections.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub active_connections: Option<u64>,
    /// The messages that it has processed since it began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub messages_processed: Option<u64>,
    /// How many units of work it runs: what the command `scale` sets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scale: Option<u32>,
}

/// Why a service ended or a command was given, in at most 200 characters without control characters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Reason(String);

impl Reason {
    /// Takes what somebody wrote, as far as it goes; nothing if it says nothing. A reason is never refused.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let kept: String = text.trim().chars().filter(|letter| !letter.is_control()).take(LONGEST_REASON).collect();
        (!kept.is_empty()).then_some(Self(kept))
    }

    /// The reason.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What a service says when it beats.
#[derive(Debug, Clone, PartialEq)]
pub struct Heartbeat {
    /// How it is.
    pub status: Status,
    /// What it measured.
    pub metrics: Option<Metrics>,
    /// The number of this beat.
    pub seq: Option<Seq>,
    /// The commands that it has heard; at most 64 of them count.
    pub acks: Vec<CommandId>,
}

impl Heartbeat {
    /// A beat that says no more than the contract asks for.
    #[must_use]
    pub const fn new(status: Status) -> Self {
        Self { status, metrics: None, seq: None, acks: Vec::new() }
    }

    /// Whether the service acknowledges that command.
    pub(crate) fn acknowledges(&self, command: &CommandId) -> bool {
        self.acks.iter().take(MOST_ACKS).any(|ack| ack == command)
    }

    /// How many units of work the service says it runs.
    pub(crate) fn scale(&self) -> Option<u32> {
        self.metrics.as_ref().and_then(|metrics| metrics.scale)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use time::macros::datetime;

    use super::*;

    const NOON: Timestamp = datetime!(2026-01-01 12:00 UTC);

    #[test]
    fn silence_is_measured_from_the_last_renewal() {
        let (terms, lease) = (Terms::default(), Lease::granted(NOON));
        let at = |seconds| NOON + Duration::from_secs(seconds);
        assert!(!lease.is_silent(&terms, at(19)) && lease.is_silent(&terms, at(20)));
        assert!(!lease.is_overdue(&terms, at(29)) && lease.is_overdue(&terms, at(30)));
        let renewed = lease.renewed(at(25));
        assert!(!renewed.is_silent(&terms, at(44)) && renewed.is_silent(&terms, at(45)));
    }

    #[test]
    fn what_is_no_longer_addressed_is_not_silent() {
        let (terms, hour) = (Terms::default(), NOON + Duration::from_secs(3600));
        for phase in [Phase::Expired, Phase::Superseded, Phase::Deregistered] {
            let lease = Lease::granted(NOON).entering(phase, NOON);
            assert!(!lease.is_silent(&terms, hour) && !lease.is_overdue(&terms, hour));
        }
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
    fn a_reason_is_shortened_and_never_refused() {
        assert_eq!(Reason::new(" exited:137\n").unwrap().as_str(), "exited:137");
        assert_eq!(Reason::new("a\0b\u{1b}[31mc").unwrap().as_str(), "ab[31mc");
        assert_eq!(Reason::new(&"ü".repeat(500)).unwrap().as_str().chars().count(), 200);
        assert_eq!(Reason::new(" \n"), None);
    }

    #[test]
    fn words_are_those_of_the_contract() {
        assert_eq!("degraded".parse(), Ok(Status::Degraded));
        assert_eq!("dead".parse::<Status>().unwrap_err().to_string(), "`dead` is none of healthy, degraded, unhealthy");
        assert_eq!(serde_json::to_value(Phase::Superseded).unwrap(), "superseded");
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
