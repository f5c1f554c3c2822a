//! What goes over the wire of the control plane, in camel case as its contract writes it. Both ends read and write these:
//! `omni-api` serves them, the gateway and the channels ask for them.

mod channels;
mod health;
mod heartbeat;
mod registration;
mod setup;
mod subprocess;

pub use channels::{ChannelStartup, ChannelStartupInfo, StartupOptions};
pub use health::{HealthChecks, HealthStatus, InternalHealth, MemoryUse};
pub use heartbeat::{CommandData, CommandType, HeartbeatResponse, ServiceCommand, ServiceHeartbeat, ServiceMetrics};
pub use registration::{
    DeregistrationResult, RegistrationResult, ServiceCapabilities, ServiceDeregistration, ServiceKind,
    ServiceRegistration,
};
pub use setup::{SetupChecks, SetupStatus, SetupStep};
pub use subprocess::{
    SubprocessAuth, SubprocessConfig, SubprocessDatabase, SubprocessFeatures, SubprocessLogging, SubprocessNats,
    SubprocessPaths,
};
