use std::time::Duration;

use omni_domain::Timestamp;

use crate::{Due, Lease, Terms};

/// The fewest silent services that count as a mass: below, each silence is taken at its word.
const MASS: usize = 3;

/// Decides, for one process that sweeps, whether a silence may be held against a service.
///
/// A sweeper cannot tell a service that fell silent from its own deafness. It was deaf before it started, while it could
/// not sweep, while the wall clock jumped, and probably when most of the services fell silent at once. In the first three
/// cases nobody expires for the length of a lease (grace); in the last, expiry is put off once by that much
/// (self-preservation).
///
/// Every replica has its own. Two sweepers may disagree about a moment: the slot's row lock and its phase see to it that
/// a service expires once.
#[derive(Debug)]
pub struct Sweeper {
    terms: Terms,
    grace_until: Duration,
    last_sweep: Option<Duration>,
    baseline: Option<Baseline>,
    preservation: Preservation,
}

/// What the two clocks showed at one moment. Drift is measured against it, not against the sweep before, so that small
/// drifts cannot add up unseen.
#[derive(Debug, Clone, Copy)]
struct Baseline {
    wall: Timestamp,
    monotonic: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Preservation {
    Armed,
    Until(Duration),
}

/// How many leases there are, over all slots, at the moment of a sweep.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Census {
    /// Leases of services that are addressed.
    pub addressed: usize,
    /// Those of them silent for at least [`Terms::suspect_after`].
    pub silent: usize,
    /// Those of them silent for at least [`Terms::lease_ttl`].
    pub overdue: usize,
}

/// What a sweep may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Whatever the times say.
    Proceed,
    /// Nothing: this sweeper has not listened for long enough.
    Grace,
    /// Suspect, but not expire: most services fell silent at once. Say so in the health of the system.
    Preserve,
}

/// One sweep's permission, for every slot that it looks at. Only a [`Sweeper`] gives one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "without it no slot is swept"]
pub struct SweepLicence {
    terms: Terms,
    now: Timestamp,
    verdict: Verdict,
}

impl Sweeper {
    /// A sweeper that starts now, with a time of grace. `monotonic` is the time since any fixed moment, as all that follow.
    #[must_use]
    pub fn new(terms: Terms, monotonic: Duration) -> Self {
        Self {
            terms,
            grace_until: monotonic.saturating_add(terms.lease_ttl()),
            last_sweep: None,
            baseline: None,
            preservation: Preservation::Armed,
        }
    }

    /// Begins a time of grace, because the store was away and beats could not be written. Long pauses between sweeps are
    /// noticed without it.
    pub fn begin_grace(&mut self, monotonic: Duration) {
        self.grace_until = monotonic.saturating_add(self.terms.lease_ttl());
        self.baseline = None;
        self.preservation = Preservation::Armed;
    }

    /// Plans a sweep. `wall` is the clock that leases are kept by, and the census was taken at that moment.
    pub fn plan(&mut self, census: Census, wall: Timestamp, monotonic: Duration) -> SweepLicence {
        if self.was_away(monotonic) || self.clock_was_set(wall, monotonic) {
            self.begin_grace(monotonic);
        }
        self.last_sweep = Some(monotonic);
        self.baseline.get_or_insert(Baseline { wall, monotonic });
        let verdict = if monotonic < self.grace_until { Verdict::Grace } else { self.weigh(census, monotonic) };
        SweepLicence { terms: self.terms, now: wall, verdict }
    }

    fn was_away(&self, monotonic: Duration) -> bool {
        self.last_sweep.is_some_and(|last| monotonic.saturating_sub(last) > self.terms.longest_pause())
    }

    fn clock_was_set(&self, wall: Timestamp, monotonic: Duration) -> bool {
        self.baseline.is_some_and(|baseline| {
            let passed = monotonic.saturating_sub(baseline.monotonic);
            let drift = (wall - baseline.wall).saturating_sub(time::Duration::try_from(passed).unwrap_or_default());
            drift.unsigned_abs() > self.terms.clock_tolerance()
        })
    }

    fn weigh(&mut self, census: Census, monotonic: Duration) -> Verdict {
        if !census.shows_mass_silence() {
            self.preservation = Preservation::Armed;
            return Verdict::Proceed;
        }
        let until = match self.preservation {
            Preservation::Armed => monotonic.saturating_add(self.terms.lease_ttl()),
            Preservation::Until(until) => until,
        };
        self.preservation = Preservation::Until(until);
        if monotonic < until { Verdict::Preserve } else { Verdict::Proceed }
    }
}

impl Census {
    /// Counts one lease.
    pub fn count(&mut self, lease: &Lease, terms: &Terms, now: Timestamp) {
        self.addressed += usize::from(lease.phase.is_addressed());
        let due = terms.due(now);
        self.silent += usize::from(lease.is_silent(&due));
        self.overdue += usize::from(lease.is_overdue(&due));
    }

    /// Whether somebody is due and most are silent. Those who fell silent together become due one after another, as their
    /// beats were spread, so the merely silent count as well.
    const fn shows_mass_silence(self) -> bool {
        self.overdue > 0 && self.silent >= MASS && self.silent * 2 > self.addressed
    }
}

impl SweepLicence {
    /// What the sweep may do.
    #[must_use]
    pub const fn verdict(&self) -> Verdict {
        self.verdict
    }

    /// The moment of the sweep.
    #[must_use]
    pub const fn now(&self) -> Timestamp {
        self.now
    }

    /// What is due at that moment.
    pub(crate) fn due(&self) -> Due {
        self.terms.due(self.now)
    }
}
