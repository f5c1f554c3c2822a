use std::borrow::Cow;

use omni_domain::Timestamp;

use crate::{Command, CommandState, Event, Happening, Incarnation, Lease, Phase, Process, Profile, ServiceId, Slot};

/// What a transition makes of a slot: the reply, the rows to write, and what happened.
///
/// Nothing else changes. Whoever keeps slots elsewhere writes the changes in their order and the events beside them, in
/// one transaction; [`Slot::apply`] does it in memory.
#[derive(Debug, Clone, PartialEq)]
#[must_use = "a transition changes nothing until its changes are written"]
pub struct Outcome<R> {
    /// What to answer.
    pub reply: R,
    /// What to write, in this order.
    pub changes: Vec<Change>,
    /// What to tell.
    pub events: Vec<Event>,
}

/// One row to write.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// A new incarnation.
    Insert(Box<Incarnation>),
    /// What a later registration of an incarnation says of it.
    Describe {
        /// Which.
        id: ServiceId,
        /// Which process it is.
        process: Process,
        /// How to reach it, and what it can do.
        profile: Box<Profile>,
    },
    /// How the lease of an incarnation stands. The one change that every beat makes.
    Lease {
        /// Which.
        id: ServiceId,
        /// How it stands.
        lease: Box<Lease>,
    },
    /// An incarnation is forgotten, with its commands.
    Forget(ServiceId),
    /// A new command, or how one stands.
    Command(Box<Command>),
}

/// A transition while it is being made: the slot, copied at the first change and changed from then on, so that what comes
/// later in the transition sees what came before.
pub(crate) struct Transition<'s> {
    pub(crate) slot: Cow<'s, Slot>,
    pub(crate) now: Timestamp,
    changes: Vec<Change>,
    events: Vec<Event>,
}

impl<'s> Transition<'s> {
    pub(crate) const fn of(slot: &'s Slot, now: Timestamp) -> Self {
        Self { slot: Cow::Borrowed(slot), now, changes: Vec::new(), events: Vec::new() }
    }

    pub(crate) fn record(&mut self, change: Change) {
        self.slot.to_mut().apply(&change);
        self.changes.push(change);
    }

    pub(crate) fn tell(&mut self, incarnation: &Incarnation, what: Happening) {
        self.events.push(Event::of(incarnation, self.slot.key(), self.now, what));
    }

    pub(crate) fn finish<R>(self, reply: R) -> Outcome<R> {
        Outcome { reply, changes: self.changes, events: self.events }
    }

    /// Records a lease, and tells if that brings the service back.
    pub(crate) fn renew(&mut self, incarnation: &Incarnation, lease: Lease) {
        let before = incarnation.lease.phase;
        let is_back = before != Phase::Live && lease.phase == Phase::Live;
        self.record(Change::Lease { id: incarnation.id.clone(), lease: Box::new(lease) });
        if is_back {
            self.tell(incarnation, Happening::Recovered { from: before });
        }
    }

    /// Ends an incarnation, for now or for good, and settles its commands.
    pub(crate) fn end(&mut self, incarnation: &Incarnation, lease: Lease, what: Happening) {
        self.record(Change::Lease { id: incarnation.id.clone(), lease: Box::new(lease) });
        self.tell(incarnation, what);
        self.settle_commands_of(incarnation);
    }

    pub(crate) fn settle_commands_of(&mut self, incarnation: &Incarnation) {
        let pending: Vec<_> = self.slot.pending_for(incarnation).cloned().collect();
        for command in pending {
            self.settle(incarnation, &command, command.outcome_of_the_end());
        }
    }

    pub(crate) fn settle(&mut self, incarnation: &Incarnation, command: &Command, outcome: CommandState) {
        self.record(Change::Command(Box::new(command.settled(outcome, self.now))));
        if !outcome.is_pending() {
            self.tell(
                incarnation,
                Happening::CommandSettled { command: command.id.clone(), action: command.action, outcome },
            );
        }
    }
}
