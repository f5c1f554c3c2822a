use std::ops::AddAssign;

use crate::moment::{after, elapsed};
use crate::transition::Transition;
use crate::{
    Change, Command, CommandState, Happening, Incarnation, Lease, Outcome, Phase, Slot, SweepLicence, Terms, Verdict,
};

/// What a sweep did to a slot.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Swept {
    /// How many services became suspect.
    pub suspected: usize,
    /// How many leases expired.
    pub expired: usize,
    /// How many commands ran out of time.
    pub lapsed: usize,
    /// How many ended incarnations were forgotten.
    pub forgotten: usize,
}

impl AddAssign for Swept {
    fn add_assign(&mut self, other: Self) {
        self.suspected += other.suspected;
        self.expired += other.expired;
        self.lapsed += other.lapsed;
        self.forgotten += other.forgotten;
    }
}

impl Slot {
    /// Looks for what time alone has brought about: silence, expiry, commands past their deadline, incarnations that are
    /// over for good. What a sweep finds is found once, whoever sweeps and however often.
    ///
    /// Whatever the licence says, moments that a set-back clock left in the future are brought back to now; otherwise the
    /// services concerned could be silent for as long as the clock was set back.
    ///
    /// A store need not load slots in which nothing is due: no lease silent or from the future, no command past its
    /// deadline or from the future, nothing to forget.
    pub fn sweep(&self, licence: &SweepLicence) -> Outcome<Swept> {
        let mut transition = Transition::of(self, licence.now());
        transition.return_from_the_future(licence);
        let mut swept = Swept::default();
        match licence.verdict() {
            Verdict::Grace => {}
            Verdict::Preserve => swept.suspected = transition.suspect(licence),
            Verdict::Proceed => {
                swept.expired = transition.expire(licence);
                swept.suspected = transition.suspect(licence);
                swept.lapsed = transition.lapse();
                swept.forgotten = transition.forget();
            }
        }
        transition.finish(swept)
    }
}

impl Transition {
    fn return_from_the_future(&mut self, licence: &SweepLicence) {
        let now = self.now;
        for incarnation in self.addressed(|lease| licence.is_from_the_future(lease.last_seen)) {
            let lease = Lease { last_seen: now, ..incarnation.lease };
            self.record(Change::Lease { id: incarnation.id, lease: Box::new(lease) });
        }
        for command in self.slot.commands().to_vec() {
            if licence.is_from_the_future(command.issued) {
                let within = elapsed(command.issued, command.deadline);
                let returned = Command { issued: now, deadline: after(now, within), ..command };
                self.record(Change::Command(Box::new(returned)));
            }
        }
    }

    fn suspect(&mut self, licence: &SweepLicence) -> usize {
        let now = self.now;
        let silent = self.addressed(|lease| lease.phase == Phase::Live && lease.is_silent(licence.terms(), now));
        for incarnation in &silent {
            let lease = Box::new(incarnation.lease.clone().entering(Phase::Suspect, now));
            self.record(Change::Lease { id: incarnation.id.clone(), lease });
            self.tell(incarnation, Happening::Suspect);
        }
        silent.len()
    }

    fn expire(&mut self, licence: &SweepLicence) -> usize {
        let now = self.now;
        let overdue = self.addressed(|lease| lease.is_overdue(licence.terms(), now));
        for incarnation in &overdue {
            let lease = incarnation.lease.clone().entering(Phase::Expired, now);
            self.end(incarnation, lease, Happening::Expired);
        }
        overdue.len()
    }

    fn lapse(&mut self) -> usize {
        let late: Vec<_> =
            self.slot.commands().iter().filter(|command| command.deadline <= self.now).cloned().collect();
        for command in &late {
            let addressee = self.slot.find(&command.service).cloned();
            match addressee {
                Some(incarnation) if incarnation.lease.phase.is_addressed() => self.escalate(&incarnation, command),
                Some(incarnation) => self.settle(&incarnation, command, command.outcome_of_the_end()),
                None => {
                    let settled = command.settled(command.outcome_of_the_end(), self.now);
                    self.record(Change::Command(Box::new(settled)));
                }
            }
        }
        late.len()
    }

    /// A service that does not scale is let be; one that does not end is ended.
    fn escalate(&mut self, incarnation: &Incarnation, command: &Command) {
        if !command.action.ends_the_incarnation() {
            return self.settle(incarnation, command, CommandState::Unmet);
        }
        self.settle(incarnation, command, CommandState::Forced);
        self.tell(incarnation, Happening::MustEnd { command: command.id.clone(), action: command.action });
    }

    fn forget(&mut self) -> usize {
        let over: Vec<_> = self
            .slot
            .incarnations()
            .iter()
            .filter(|incarnation| !incarnation.lease.phase.is_addressed())
            .filter(|incarnation| elapsed(incarnation.lease.since, self.now) >= Terms::RETENTION)
            .map(|incarnation| incarnation.id.clone())
            .collect();
        for id in &over {
            self.record(Change::Forget(id.clone()));
        }
        over.len()
    }

    fn addressed(&self, is_meant: impl Fn(&Lease) -> bool) -> Vec<Incarnation> {
        self.slot
            .current()
            .filter(|incarnation| incarnation.lease.phase.is_addressed() && is_meant(&incarnation.lease))
            .cloned()
            .collect()
    }
}
