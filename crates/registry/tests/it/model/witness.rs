//! Who watches, with its own memory of what was said and when, and objects.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use omni_registry::{
    Command, CommandId, Event, Fence, Generation, Happening, Heartbeat, InMemoryRegistry, Lease, Seq, ServiceId,
    SlotKey, Terms,
};

#[derive(Debug, Default)]
pub(super) struct Witness {
    highest: BTreeMap<SlotKey, Generation>,
    ended: BTreeMap<ServiceId, Lease>,
    expired: BTreeSet<ServiceId>,
    contact: BTreeMap<ServiceId, Contact>,
    writers: BTreeMap<SlotKey, (Fence, Vec<Generation>)>,
    carried_out: BTreeMap<CommandId, usize>,
    pub(super) seen: BTreeSet<&'static str>,
}

#[derive(Debug)]
struct Contact {
    at: Duration,
    seq: Option<Seq>,
}

impl Witness {
    pub(super) fn registered(&mut self, id: &ServiceId, at: Duration) {
        self.contact.insert(id.clone(), Contact { at, seq: None });
    }

    pub(super) fn beat(&mut self, id: &ServiceId, beat: &Heartbeat, at: Duration) {
        let contact = self.contact.get_mut(id).unwrap();
        if contact.seq.is_some() && beat.seq.is_some() && beat.seq <= contact.seq {
            return;
        }
        contact.at = contact.at.max(at);
        contact.seq = beat.seq.or(contact.seq);
    }

    pub(super) fn told(&mut self, events: &[Event], terms: &Terms, now: Duration) {
        for event in events {
            self.seen.insert(event.name());
            let silence = || now.saturating_sub(self.contact[&event.service_id].at);
            match &event.what {
                Happening::Registered => self.expect_to_rise(event),
                // I5: who beats within two intervals never expires, and who beats within one is never suspect.
                Happening::Expired => {
                    assert!(silence() >= terms.suspect_after(), "expired after {:?}", silence());
                    assert!(self.expired.insert(event.service_id.clone()), "told twice of one expiry");
                }
                Happening::Suspect => {
                    assert!(silence() >= terms.heartbeat_interval(), "suspect after {:?}", silence());
                }
                Happening::Recovered { .. } => {
                    self.expired.remove(&event.service_id);
                }
                _ => {}
            }
        }
    }

    /// I2: generations rise.
    fn expect_to_rise(&mut self, event: &Event) {
        let before = self.highest.insert(event.slot.clone(), event.generation);
        assert!(before.is_none_or(|before| before < event.generation), "{before:?} then {:?}", event.generation);
    }

    pub(super) fn look_at(&mut self, registry: &InMemoryRegistry) {
        let in_slots: usize = registry.slots().map(|slot| slot.incarnations().len()).sum();
        assert_eq!(in_slots, registry.len());
        for slot in registry.slots() {
            // I1: at most one holder, or several that may stand side by side.
            let holders: Vec<_> = slot.current().map(|holder| holder.service_type.is_exclusive()).collect();
            assert!(holders.len() < 2 || !holders.contains(&true), "{:?}", slot.key());
            let newest = slot.incarnations().iter().map(|incarnation| incarnation.generation).max();
            assert_eq!(newest.as_ref(), self.highest.get(slot.key()));
            for incarnation in slot.incarnations() {
                // What has ended never changes again.
                if let Some(end) = self.ended.get(&incarnation.id) {
                    assert_eq!(&incarnation.lease, end);
                } else if incarnation.lease.phase.is_final() {
                    self.ended.insert(incarnation.id.clone(), incarnation.lease.clone());
                }
            }
            for command in slot.commands() {
                let addressee = slot.find(&command.service).unwrap();
                assert!(addressee.lease.phase.is_addressed(), "{command:?} outlived its generation");
            }
        }
    }

    /// I3: once a newer generation has written, an older one writes no more.
    pub(super) fn wrote(&mut self, key: &SlotKey, generation: Generation) {
        let (fence, written) = self.writers.entry(key.clone()).or_default();
        if fence.admit(generation).is_ok() {
            assert!(written.iter().all(|earlier| *earlier <= generation));
            written.push(generation);
        } else {
            self.seen.insert("a write was refused");
        }
    }

    /// I4: a command that ends an incarnation ends one, and of the generation that it is for.
    pub(super) fn carried_out(&mut self, command: &CommandId, meant: Generation, by: Generation) {
        assert_eq!(meant, by, "a command reached another generation");
        let times = self.carried_out.entry(command.clone()).or_default();
        *times += 1;
        assert_eq!(*times, 1, "a command was carried out twice");
    }

    pub(super) fn obeyed(&mut self, command: &Command, by: Generation) {
        self.carried_out(&command.id, command.generation, by);
    }
}
