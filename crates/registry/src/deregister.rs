use omni_domain::Timestamp;

use crate::transition::Transition;
use crate::{Happening, Lease, Outcome, Phase, Reason, ServiceId, Slot};

/// What a deregistration found. The caller is answered the same in each case, so that nobody can try out ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeregisterReply {
    /// The incarnation has ended now.
    Ended,
    /// It had ended before.
    AlreadyEnded,
    /// Nobody has this id.
    Unknown,
}

impl Slot {
    /// Ends an incarnation, on its own word or its parent's. It names the incarnation by id, so a late deregistration
    /// of a predecessor leaves the successor alone.
    pub fn deregister(&self, id: &ServiceId, reason: Option<Reason>, now: Timestamp) -> Outcome<DeregisterReply> {
        let mut transition = Transition::of(self, now);
        let Some(incarnation) = self.find(id) else {
            return transition.finish(DeregisterReply::Unknown);
        };
        if incarnation.lease.phase.is_final() {
            return transition.finish(DeregisterReply::AlreadyEnded);
        }
        let ended = incarnation.lease.clone().entering(Phase::Deregistered, now);
        let lease = Lease { reason: reason.clone(), ..ended };
        transition.end(incarnation, lease, Happening::Deregistered { reason });
        transition.finish(DeregisterReply::Ended)
    }
}
