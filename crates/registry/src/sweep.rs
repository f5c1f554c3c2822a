use std::ops::AddAssign;

use crate::moment::{after, elapsed};
use crate::transition::Transition;
use crate::{
    Change, Command, CommandState, Due, Happening, Incarnation, Lease, Outcome, Phase, Slot, SweepLicence, Verdict,
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
    /// over for good. What a sweep finds is found once, whoever sweeps and however often. A store need not load slots in
    /// which nothing is [`Due`].
    ///
    /// Whatever the licence says, moments that a set-back clock left in the future are brought back to now; otherwise the
    /// services concerned could be silent for as long as the clock was set back.
    pub fn sweep(&self, licence: &SweepLicence) -> Outcome<Swept> {
        let mut transition = Transition::of(self, licence.now());
        let due = licence.due();
        let mut swept = Swept::default();
        transition.return_from_the_future(&due);
        match licence.verdict() {
            Verdict::Grace => {}
            Verdict::Preserve => swept.suspected = transition.suspect(&due),
            Verdict::Proceed => {
                swept.expired = transition.expire(&due);
                swept.suspected = transition.suspect(&due);
                swept.lapsed = transition.lapse(&due);
                swept.forgotten = transition.forget(&due);
            }
        }
        transition.finish(swept)
    }
}

impl Transition<'_> {
    fn return_from_the_future(&mut self, due: &Due) {
        let now = self.now;
        for incarnation in self.incarnations(|lease| lease.is_from_the_future(due)) {
            let lease = Lease { last_seen: now, ..incarnation.lease };
            self.record(Change::Lease { id: incarnation.id, lease: Box::new(lease) });
        }
        for command in self.commands(|command| command.issued > due.from_the_future) {
            let within = elapsed(command.issued, command.deadline);
            let returned = Command { issued: now, deadline: after(now, within), ..command };
            self.record(Change::Command(Box::new(returned)));
        }
    }

    fn suspect(&mut self, due: &Due) -> usize {
        let silent = self.incarnations(|lease| lease.phase == Phase::Live && lease.is_silent(due));
        for incarnation in &silent {
            let lease = Box::new(incarnation.lease.clone().entering(Phase::Suspect, self.now));
            self.record(Change::Lease { id: incarnation.id.clone(), lease });
            self.tell(incarnation, Happening::Suspect);
        }
        silent.len()
    }

    fn expire(&mut self, due: &Due) -> usize {
        let overdue = self.incarnations(|lease| lease.is_overdue(due));
        for incarnation in &overdue {
            let lease = incarnation.lease.clone().entering(Phase::Expired, self.now);
            self.end(incarnation, lease, Happening::Expired);
        }
        overdue.len()
    }

    fn lapse(&mut self, due: &Due) -> usize {
        let late = self.commands(|command| command.deadline <= due.late);
        for command in &late {
            match self.slot.find(&command.service).cloned() {
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

    fn forget(&mut self, due: &Due) -> usize {
        let over = self.incarnations(|lease| lease.is_forgotten(due));
        for incarnation in &over {
            self.record(Change::Forget(incarnation.id.clone()));
        }
        over.len()
    }

    fn incarnations(&self, is_meant: impl Fn(&Lease) -> bool) -> Vec<Incarnation> {
        self.slot.incarnations().iter().filter(|incarnation| is_meant(&incarnation.lease)).cloned().collect()
    }

    fn commands(&self, is_meant: impl Fn(&Command) -> bool) -> Vec<Command> {
        self.slot.commands().iter().filter(|command| is_meant(command)).cloned().collect()
    }
}
