use std::collections::BTreeSet;

use crate::words::words;
use crate::{Change, Command, Generation, Incarnation, Phase, RegistryError, ServiceId, ServiceType, SlotKey, Status};

/// One place in the registry: the incarnations of one service that are remembered, and the commands that they have yet
/// to carry out. Every transition is a function of one slot.
///
/// What must be in it: every incarnation whose phase is not final with its pending commands; and of the final ones, for a
/// registration those that share its token or its pid, for a heartbeat or a deregistration the one it names, for
/// forgetting those past [`Terms::RETENTION`](crate::Terms::RETENTION). More does no harm.
#[derive(Debug, Clone, PartialEq)]
pub struct Slot {
    key: SlotKey,
    incarnations: Vec<Incarnation>,
    commands: Vec<Command>,
}

words! {
    /// How an incarnation appears to people: its lease, what it was told, and what it says of itself, in one word.
    ServiceState {
        /// It has registered and not beaten yet.
        Registered => "registered",
        /// It says that all is well.
        Healthy => "healthy",
        /// It says that it works with less than it should have.
        Degraded => "degraded",
        /// It says that it does not work.
        Unhealthy => "unhealthy",
        /// It has been told to end.
        Draining => "draining",
        /// It has been silent for two intervals.
        Suspect => "suspect",
        /// It has been silent for three.
        Expired => "expired",
        /// A newer incarnation took its slot.
        Superseded => "superseded",
        /// It has ended.
        Deregistered => "deregistered",
    }
}

impl Slot {
    /// A slot that nobody has registered in.
    #[must_use]
    pub const fn empty(key: SlotKey) -> Self {
        Self { key, incarnations: Vec::new(), commands: Vec::new() }
    }

    /// A slot as it was stored. Commands that are settled are left out.
    ///
    /// # Errors
    /// [`RegistryError::Inconsistent`] when two incarnations share an id or a generation, or hold what only one can.
    pub fn load(
        key: SlotKey,
        mut incarnations: Vec<Incarnation>,
        mut commands: Vec<Command>,
    ) -> Result<Self, RegistryError> {
        incarnations.sort_by_key(|incarnation| incarnation.generation);
        commands.retain(|command| command.state.is_pending());
        commands.sort_by_key(|command| command.issued);
        let slot = Self { key, incarnations, commands };
        slot.check()?;
        Ok(slot)
    }

    fn check(&self) -> Result<(), RegistryError> {
        let ids: BTreeSet<_> = self.incarnations.iter().map(|incarnation| &incarnation.id).collect();
        if ids.len() < self.incarnations.len() {
            return Err(RegistryError::Inconsistent("two incarnations share an id"));
        }
        if !self.incarnations.is_sorted_by(|one, next| one.generation < next.generation) {
            return Err(RegistryError::Inconsistent("two incarnations share a generation"));
        }
        let mut current = self.current();
        let first = current.next().map(|incarnation| incarnation.service_type);
        if first.is_some_and(|first| current.any(|other| other.excludes(first))) {
            return Err(RegistryError::Inconsistent("two incarnations hold a slot for one"));
        }
        Ok(())
    }

    /// Where the slot is.
    #[must_use]
    pub const fn key(&self) -> &SlotKey {
        &self.key
    }

    /// All incarnations that are remembered, oldest first.
    #[must_use]
    pub fn incarnations(&self) -> &[Incarnation] {
        &self.incarnations
    }

    /// The commands that are yet to be carried out, oldest first.
    #[must_use]
    pub fn commands(&self) -> &[Command] {
        &self.commands
    }

    /// The incarnation with that id.
    #[must_use]
    pub fn find(&self, id: &ServiceId) -> Option<&Incarnation> {
        self.incarnations.iter().find(|incarnation| incarnation.id == *id)
    }

    /// The incarnations that hold the slot, oldest first: at most one, or several that do not exclude each other.
    pub fn current(&self) -> impl Iterator<Item = &Incarnation> {
        self.incarnations.iter().filter(|incarnation| !incarnation.lease.phase.is_final())
    }

    /// How an incarnation of this slot appears to people.
    #[must_use]
    pub fn state_of(&self, incarnation: &Incarnation) -> ServiceState {
        match (incarnation.lease.phase, incarnation.lease.status) {
            (Phase::Superseded, _) => ServiceState::Superseded,
            (Phase::Deregistered, _) => ServiceState::Deregistered,
            (Phase::Expired, _) => ServiceState::Expired,
            (Phase::Suspect, _) => ServiceState::Suspect,
            (Phase::Live, _) if self.is_draining(incarnation) => ServiceState::Draining,
            (Phase::Live, None) => ServiceState::Registered,
            (Phase::Live, Some(Status::Healthy)) => ServiceState::Healthy,
            (Phase::Live, Some(Status::Degraded)) => ServiceState::Degraded,
            (Phase::Live, Some(Status::Unhealthy)) => ServiceState::Unhealthy,
        }
    }

    /// Writes one change of a transition.
    pub fn apply(&mut self, change: &Change) {
        match change {
            Change::Insert(incarnation) => self.incarnations.push((**incarnation).clone()),
            Change::Describe { id, process, profile } => {
                if let Some(incarnation) = self.find_mut(id) {
                    incarnation.process = process.clone();
                    incarnation.profile = (**profile).clone();
                }
            }
            Change::Lease { id, lease } => {
                if let Some(incarnation) = self.find_mut(id) {
                    incarnation.lease = (**lease).clone();
                }
            }
            Change::Forget(id) => {
                self.incarnations.retain(|incarnation| incarnation.id != *id);
                self.commands.retain(|command| command.service != *id);
            }
            Change::Command(command) => {
                match self.commands.iter_mut().find(|known| known.id == command.id) {
                    Some(known) => known.clone_from(command),
                    None => self.commands.push((**command).clone()),
                }
                self.commands.retain(|known| known.state.is_pending());
            }
        }
    }

    fn find_mut(&mut self, id: &ServiceId) -> Option<&mut Incarnation> {
        self.incarnations.iter_mut().find(|incarnation| incarnation.id == *id)
    }

    pub(crate) fn highest_generation(&self) -> Option<Generation> {
        self.incarnations.last().map(|incarnation| incarnation.generation)
    }

    /// The incarnations that a new one of that type would end.
    pub(crate) fn in_the_way_of(&self, service_type: ServiceType) -> impl Iterator<Item = &Incarnation> {
        self.current().filter(move |incarnation| incarnation.excludes(service_type))
    }

    /// What this incarnation, and no other generation, has yet to carry out.
    pub(crate) fn pending_for(&self, incarnation: &Incarnation) -> impl Iterator<Item = &Command> {
        self.commands.iter().filter(|command| command.generation == incarnation.generation)
    }

    pub(crate) fn is_draining(&self, incarnation: &Incarnation) -> bool {
        self.pending_for(incarnation).any(|command| command.action.ends_the_incarnation())
    }
}
