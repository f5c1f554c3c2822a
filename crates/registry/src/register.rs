use omni_domain::{Entropy, Timestamp};

use crate::identity::Likeness;
use crate::transition::Transition;
use crate::{
    Change, Generation, Happening, Incarnation, Lease, Outcome, Phase, RegisterReply, Registration, RegistryError,
    ServiceId, Slot, Terms,
};

/// What a new incarnation needs that cannot be computed.
#[derive(Clone, Copy)]
pub struct Fresh<'a> {
    /// The next number of the one source of generations, drawn after the slot was locked. It is used up only by a new
    /// incarnation; a gap does no harm.
    pub generation: Generation,
    /// Where the random part of its id comes from.
    pub entropy: &'a dyn Entropy,
}

/// Whom a registration comes from.
enum Recognised<'s> {
    /// A process that has not been here, or may come back.
    Newcomer,
    /// An incarnation that holds the slot.
    Current(&'s Incarnation),
    /// An incarnation that lost the slot to a newer one.
    Superseded(&'s Incarnation),
    /// An incarnation that has ended.
    Ended,
}

impl Slot {
    /// Registers a process, or renews the lease of one that is registered already.
    ///
    /// Registering the same incarnation again gives the same id and generation and renews the lease. A new incarnation
    /// supersedes those it cannot stand beside. One that was superseded, or was deregistered and spawned for one life, is
    /// told so and changes nothing.
    ///
    /// # Errors
    /// [`RegistryError::TypeChanged`], [`RegistryError::Invalid`] when the profile contradicts what the same incarnation
    /// said before, [`RegistryError::StaleGeneration`].
    pub fn register(
        &self,
        terms: &Terms,
        registration: Registration,
        now: Timestamp,
        fresh: Fresh<'_>,
    ) -> Result<Outcome<RegisterReply>, RegistryError> {
        match self.recognise(&registration) {
            Recognised::Current(incarnation) => self.register_again(terms, incarnation, registration, now),
            Recognised::Superseded(incarnation) => {
                Ok(Transition::of(self, now).finish(RegisterReply::Superseded { generation: incarnation.generation }))
            }
            Recognised::Ended => Ok(Transition::of(self, now).finish(RegisterReply::Gone)),
            Recognised::Newcomer => self.register_newcomer(terms, registration, now, fresh),
        }
    }

    fn recognise(&self, registration: &Registration) -> Recognised<'_> {
        let newest_first = || self.incarnations().iter().rev();
        let surely = newest_first().find_map(|known| match known.process.likeness(&registration.process) {
            likeness @ (Likeness::Token | Likeness::Start) => Some((known, likeness)),
            Likeness::Pid | Likeness::Different => None,
        });
        match surely {
            Some((known, likeness)) => self.recognise_surely(known, likeness, registration),
            None => newest_first()
                .find(|known| self.is_probably(known, registration))
                .map_or(Recognised::Newcomer, Recognised::Current),
        }
    }

    fn recognise_surely<'s>(
        &'s self,
        known: &'s Incarnation,
        likeness: Likeness,
        registration: &Registration,
    ) -> Recognised<'s> {
        let is_replaced =
            || self.in_the_way_of(registration.service_type).any(|holder| holder.generation > known.generation);
        match known.lease.phase {
            Phase::Live | Phase::Suspect | Phase::Expired => Recognised::Current(known),
            Phase::Superseded => Recognised::Superseded(known),
            Phase::Deregistered if likeness == Likeness::Token => Recognised::Ended,
            Phase::Deregistered if is_replaced() => Recognised::Superseded(known),
            Phase::Deregistered => Recognised::Newcomer,
        }
    }

    /// Whether the pid alone is enough. A pid is given again, so it counts only while the lease shows that the process is
    /// there, and not while it is told to end: the next to register with that pid would be its successor.
    fn is_probably(&self, known: &Incarnation, registration: &Registration) -> bool {
        known.process.likeness(&registration.process) == Likeness::Pid
            && known.service_type == registration.service_type
            && known.lease.phase.is_addressed()
            && !self.is_draining(known)
    }

    fn register_again(
        &self,
        terms: &Terms,
        known: &Incarnation,
        registration: Registration,
        now: Timestamp,
    ) -> Result<Outcome<RegisterReply>, RegistryError> {
        if known.service_type != registration.service_type {
            return Err(RegistryError::TypeChanged {
                registered: known.service_type,
                asked: registration.service_type,
            });
        }
        let process = known.process.joined_by(registration.process);
        let profile = known.profile.replaced_by(registration.profile)?;
        let mut transition = Transition::of(self, now);
        if process != known.process || profile != known.profile {
            transition.record(Change::Describe { id: known.id.clone(), process, profile: Box::new(profile) });
        }
        // A process that lost count of its beats registers again, so the count starts anew.
        transition.renew(known, Lease { seq: None, ..known.lease.renewed(now) });
        Ok(transition.finish(accepted(known, terms)))
    }

    fn register_newcomer(
        &self,
        terms: &Terms,
        registration: Registration,
        now: Timestamp,
        fresh: Fresh<'_>,
    ) -> Result<Outcome<RegisterReply>, RegistryError> {
        if let Some(highest) = self.highest_generation()
            && fresh.generation <= highest
        {
            return Err(RegistryError::StaleGeneration { offered: fresh.generation, highest });
        }
        let incarnation = Incarnation {
            id: ServiceId::generate(&self.key().name, fresh.entropy),
            generation: fresh.generation,
            service_type: registration.service_type,
            registered: now,
            process: registration.process,
            profile: registration.profile,
            lease: Lease::granted(now),
        };
        let mut transition = Transition::of(self, now);
        for old in self.in_the_way_of(incarnation.service_type) {
            let lease = old.lease.clone().entering(Phase::Superseded, now);
            transition.end(old, lease, Happening::Superseded { by: incarnation.generation });
        }
        transition.record(Change::Insert(Box::new(incarnation.clone())));
        transition.tell(&incarnation, Happening::Registered);
        Ok(transition.finish(accepted(&incarnation, terms)))
    }
}

fn accepted(incarnation: &Incarnation, terms: &Terms) -> RegisterReply {
    RegisterReply::Accepted { service: incarnation.id.clone(), generation: incarnation.generation, terms: *terms }
}
