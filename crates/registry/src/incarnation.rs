use std::time::Duration;

use omni_domain::Timestamp;

use crate::moment::elapsed;
use crate::{Generation, Lease, Process, Profile, ServiceId, ServiceType};

/// One life of a service: what it registered as, and how its lease stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Incarnation {
    /// Its id.
    pub id: ServiceId,
    /// Its generation: higher than that of every incarnation before it.
    pub generation: Generation,
    /// What it is.
    pub service_type: ServiceType,
    /// When it first registered.
    pub registered: Timestamp,
    /// Which process it is.
    pub process: Process,
    /// How to reach it, and what it can do.
    pub profile: Profile,
    /// How its lease stands.
    pub lease: Lease,
}

impl Incarnation {
    /// How long ago it registered; never negative, whatever the clock did.
    #[must_use]
    pub fn uptime(&self, now: Timestamp) -> Duration {
        elapsed(self.registered, now)
    }

    /// Whether the two cannot both hold the slot.
    pub(crate) const fn excludes(&self, other: ServiceType) -> bool {
        self.service_type.is_exclusive() || other.is_exclusive()
    }
}
