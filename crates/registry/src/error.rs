use omni_domain::{ErrorKind, Invalid};

use crate::{Generation, Phase, ServiceType};

/// Why a transition was refused. Nothing has changed then.
///
/// Heartbeats and deregistrations are never refused: what they find is their reply.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RegistryError {
    /// A value breaks a rule.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// The incarnation is registered already, as something else.
    #[error("the service is registered as a {registered}, not as a {asked}")]
    TypeChanged {
        /// What it is registered as.
        registered: ServiceType,
        /// What the new registration says.
        asked: ServiceType,
    },
    /// No service has the id.
    #[error("no service has this id")]
    UnknownService,
    /// The service is no longer addressed.
    #[error("the service takes no commands: it is {0}")]
    NotAddressed(Phase),
    /// The service has been told to end, so that the command could only reach its successor.
    #[error("the service is already ending")]
    Draining,
    /// Every place is taken by a live service.
    #[error("the registry is full: {capacity} services are live")]
    Full {
        /// How many live services it holds.
        capacity: usize,
    },
    /// The source of generations gave a number that is not above those it gave before.
    #[error("generation {offered} is not above {highest}: has the sequence been reset?")]
    StaleGeneration {
        /// The number that was offered.
        offered: Generation,
        /// The highest that the slot has seen.
        highest: Generation,
    },
    /// What was loaded contradicts itself.
    #[error("the stored slot contradicts itself: {0}")]
    Inconsistent(&'static str),
}

impl RegistryError {
    /// The kind of failure, for the status code at the edge.
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        match self {
            Self::Invalid(_) => ErrorKind::Invalid,
            Self::TypeChanged { .. } | Self::NotAddressed(_) | Self::Draining => ErrorKind::Conflict,
            Self::UnknownService => ErrorKind::NotFound,
            Self::Full { .. } => ErrorKind::Unavailable,
            Self::StaleGeneration { .. } | Self::Inconsistent(_) => ErrorKind::Internal,
        }
    }

    /// A stable name for programs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Invalid(_) => "registration_invalid",
            Self::TypeChanged { .. } => "service_type_changed",
            Self::UnknownService => "service_unknown",
            Self::NotAddressed(_) => "service_not_addressed",
            Self::Draining => "service_draining",
            Self::Full { .. } => "registry_full",
            Self::StaleGeneration { .. } => "registry_generation_stale",
            Self::Inconsistent(_) => "registry_inconsistent",
        }
    }
}
