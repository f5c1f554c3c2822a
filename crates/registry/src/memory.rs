use std::collections::BTreeMap;
use std::time::Duration;

use omni_domain::{Entropy, Timestamp};

use crate::{
    AckReply, Census, Change, Command, CommandId, DeregisterReply, Event, Fresh, Generation, Heartbeat, HeartbeatReply,
    Incarnation, Order, Outcome, Phase, Reason, RegisterReply, Registration, RegistryError, ServiceId, ServiceName,
    Slot, SlotKey, SweepLicence, Sweeper, Swept, Terms,
};

/// A registry in memory, for a program that needs no other to share it.
///
/// It is bounded: it holds at most `capacity` incarnations. Those that have ended longest make room for new ones; when
/// all are addressed, a newcomer is refused. Every call answers with the outcome of a transition that is already applied,
/// so that the caller can publish its events.
#[derive(Debug)]
pub struct InMemoryRegistry {
    terms: Terms,
    capacity: usize,
    slots: BTreeMap<SlotKey, Slot>,
    places: BTreeMap<ServiceId, SlotKey>,
    last_generation: Generation,
}

impl InMemoryRegistry {
    /// An empty registry for at most that many incarnations.
    #[must_use]
    pub const fn new(terms: Terms, capacity: usize) -> Self {
        Self { terms, capacity, slots: BTreeMap::new(), places: BTreeMap::new(), last_generation: Generation::new(0) }
    }

    /// Registers a process; see [`Slot::register`].
    ///
    /// # Errors
    /// As [`Slot::register`]; also [`RegistryError::Full`].
    pub fn register(
        &mut self,
        key: &SlotKey,
        registration: Registration,
        now: Timestamp,
        entropy: &dyn Entropy,
    ) -> Result<Outcome<RegisterReply>, RegistryError> {
        let empty = Slot::empty(key.clone());
        let slot = self.slots.get(key).unwrap_or(&empty);
        let generation = Generation::new(self.last_generation.get() + 1);
        let outcome = slot.register(&self.terms, registration, now, Fresh { generation, entropy })?;
        self.make_room(&outcome.changes)?;
        self.apply(key, &outcome.changes);
        Ok(outcome)
    }

    /// Hears a heartbeat; see [`Slot::heartbeat`].
    pub fn heartbeat(&mut self, id: &ServiceId, beat: &Heartbeat, now: Timestamp) -> Outcome<HeartbeatReply> {
        let Some((key, slot)) = self.place_of(id) else {
            return nothing(HeartbeatReply::Unknown);
        };
        let outcome = slot.heartbeat(id, beat, now);
        self.apply(&key, &outcome.changes);
        outcome
    }

    /// Ends an incarnation; see [`Slot::deregister`].
    pub fn deregister(&mut self, id: &ServiceId, reason: Option<Reason>, now: Timestamp) -> Outcome<DeregisterReply> {
        let Some((key, slot)) = self.place_of(id) else {
            return nothing(DeregisterReply::Unknown);
        };
        let outcome = slot.deregister(id, reason, now);
        self.apply(&key, &outcome.changes);
        outcome
    }

    /// Gives a command; see [`Slot::issue`].
    ///
    /// # Errors
    /// As [`Slot::issue`].
    pub fn issue(
        &mut self,
        id: &ServiceId,
        order: Order,
        now: Timestamp,
        entropy: &dyn Entropy,
    ) -> Result<Outcome<Command>, RegistryError> {
        let (key, slot) = self.place_of(id).ok_or(RegistryError::UnknownService)?;
        let outcome = slot.issue(id, order, now, entropy)?;
        self.apply(&key, &outcome.changes);
        Ok(outcome)
    }

    /// Notes that a command was heard; see [`Slot::ack`].
    pub fn ack(&mut self, id: &ServiceId, command: &CommandId, now: Timestamp) -> Outcome<AckReply> {
        let Some((key, slot)) = self.place_of(id) else {
            return nothing(AckReply::NothingPending);
        };
        let outcome = slot.ack(id, command, now);
        self.apply(&key, &outcome.changes);
        outcome
    }

    /// Sweeps every slot once; see [`Sweeper::plan`] and [`Slot::sweep`]. The reply is the sum over all slots, and the
    /// licence that they were swept with.
    pub fn sweep(
        &mut self,
        sweeper: &mut Sweeper,
        now: Timestamp,
        monotonic: Duration,
    ) -> Outcome<(Swept, SweepLicence)> {
        let licence = sweeper.plan(self.census(now), now, monotonic);
        let mut total = Swept::default();
        let (mut changes, mut events): (Vec<Change>, Vec<Event>) = (Vec::new(), Vec::new());
        let keys: Vec<_> = self.slots.keys().cloned().collect();
        for key in keys {
            let Some(outcome) = self.slots.get(&key).map(|slot| slot.sweep(&licence)) else { continue };
            self.apply(&key, &outcome.changes);
            total += outcome.reply;
            changes.extend(outcome.changes);
            events.extend(outcome.events);
        }
        Outcome { reply: (total, licence), changes, events }
    }

    /// How many leases there are, and how many of them are silent.
    #[must_use]
    pub fn census(&self, now: Timestamp) -> Census {
        let mut census = Census::default();
        for incarnation in self.incarnations() {
            census.count(&incarnation.lease, &self.terms, now);
        }
        census
    }

    /// The incarnation with that id.
    #[must_use]
    pub fn find(&self, id: &ServiceId) -> Option<&Incarnation> {
        self.slots.get(self.places.get(id)?)?.find(id)
    }

    /// A slot, if anybody ever registered in it and is remembered.
    #[must_use]
    pub fn slot(&self, key: &SlotKey) -> Option<&Slot> {
        self.slots.get(key)
    }

    /// All slots, in the order of their keys.
    pub fn slots(&self) -> impl Iterator<Item = &Slot> {
        self.slots.values()
    }

    /// The services of that name that events and commands go to, on all nodes.
    pub fn addressed<'a>(&'a self, name: &'a ServiceName) -> impl Iterator<Item = &'a Incarnation> {
        self.slots
            .values()
            .filter(move |slot| slot.key().name == *name)
            .flat_map(Slot::current)
            .filter(|incarnation| incarnation.lease.phase.is_addressed())
    }

    /// How many incarnations are remembered.
    #[must_use]
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether nobody is remembered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    fn incarnations(&self) -> impl Iterator<Item = &Incarnation> {
        self.slots.values().flat_map(Slot::incarnations)
    }

    fn place_of(&self, id: &ServiceId) -> Option<(SlotKey, &Slot)> {
        let key = self.places.get(id)?;
        Some((key.clone(), self.slots.get(key)?))
    }

    /// Forgets who ended longest ago, if the changes bring a newcomer for whom there is no room.
    fn make_room(&mut self, changes: &[Change]) -> Result<(), RegistryError> {
        let brings_newcomer = changes.iter().any(|change| matches!(change, Change::Insert(_)));
        if !brings_newcomer || self.len() < self.capacity {
            return Ok(());
        }
        let ended = |phase: Phase| !phase.is_addressed();
        let over = self
            .incarnations()
            .filter(|incarnation| ended(incarnation.lease.phase))
            .min_by_key(|incarnation| incarnation.lease.since)
            .map(|incarnation| incarnation.id.clone())
            .or_else(|| changes.iter().find_map(superseded_by_newcomer))
            .ok_or(RegistryError::Full { capacity: self.capacity })?;
        if let Some(key) = self.places.get(&over).cloned() {
            self.apply(&key, &[Change::Forget(over)]);
        }
        Ok(())
    }

    fn apply(&mut self, key: &SlotKey, changes: &[Change]) {
        let slot = self.slots.entry(key.clone()).or_insert_with(|| Slot::empty(key.clone()));
        for change in changes {
            slot.apply(change);
            match change {
                Change::Insert(incarnation) => {
                    self.last_generation = self.last_generation.max(incarnation.generation);
                    self.places.insert(incarnation.id.clone(), key.clone());
                }
                Change::Forget(id) => {
                    self.places.remove(id);
                }
                Change::Describe { .. } | Change::Lease { .. } | Change::Command(_) => {}
            }
        }
        if slot.incarnations().is_empty() {
            self.slots.remove(key);
        }
    }
}

/// Whom a newcomer supersedes: the only ones whose lease changes when somebody new is inserted.
fn superseded_by_newcomer(change: &Change) -> Option<ServiceId> {
    match change {
        Change::Lease { id, .. } => Some(id.clone()),
        _ => None,
    }
}

const fn nothing<R>(reply: R) -> Outcome<R> {
    Outcome { reply, changes: Vec::new(), events: Vec::new() }
}
