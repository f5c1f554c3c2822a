use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use omni_bus::Bus;
use omni_domain::{Clock, Entropy};
use omni_persistence::Store;
use omni_registry::{NodeId, Terms};
use omni_wire::control::{StartupOptions, SubprocessConfig};

use crate::Locality;

/// How long what the process depends on may take to answer, before it counts as away.
pub(crate) const PATIENCE: Duration = Duration::from_secs(2);

/// What the endpoints work with.
pub struct ControlPlane {
    /// The database, with the service registry.
    pub store: Store,
    /// The connection to NATS.
    pub bus: Bus,
    /// Who is answered.
    pub locality: Locality,
    /// Where the time comes from.
    pub clock: Arc<dyn Clock>,
    /// Where randomness comes from.
    pub entropy: Arc<dyn Entropy>,
    /// When the process began.
    pub started: Instant,
    /// The machine whose services register here, unless they say otherwise.
    pub node: NodeId,
    /// The terms of all leases.
    pub terms: Terms,
    /// What the programs that the gateway starts have to know.
    pub subprocess_config: SubprocessConfig,
    /// How channels are started.
    pub startup: StartupOptions,
    /// Whether most services fell silent at once, so that nobody expires for a while; [`keep_leases`](crate::keep_leases)
    /// sets it.
    pub mass_silence: AtomicBool,
}

impl fmt::Debug for ControlPlane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ControlPlane").field("node", &self.node).field("terms", &self.terms).finish_non_exhaustive()
    }
}
