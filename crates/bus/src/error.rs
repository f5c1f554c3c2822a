use omni_domain::{ErrorKind, Failure};
use thiserror::Error;

/// Why NATS did not do what was asked.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum BusError {
    /// The address is none; the text holds no password.
    #[error("the address of NATS cannot be used: {0}")]
    Address(String),
    /// No server answered in time.
    #[error("NATS does not answer")]
    Away,
    /// The server answered that it will not.
    #[error("NATS refused")]
    Refused(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl Failure for BusError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Address(_) => ErrorKind::Internal,
            Self::Away | Self::Refused(_) => ErrorKind::Unavailable,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Address(_) => "nats_address",
            Self::Away => "nats_unavailable",
            Self::Refused(_) => "nats_refused",
        }
    }

    fn retry_after(&self) -> Option<u32> {
        matches!(self, Self::Away | Self::Refused(_)).then_some(1)
    }
}
