use omni_domain::{ErrorKind, Failure, Invalid};
use omni_persistence::StoreError;
use thiserror::Error;

/// Why somebody could not be signed in or changed.
#[derive(Debug, Error)]
pub enum IdentityError {
    /// The input breaks a rule.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// The account is deactivated.
    #[error("this account is deactivated")]
    Deactivated,
    /// This way of signing in is not open here.
    #[error("this server does not sign in that way")]
    NotThisWay,
    /// It cannot be done to this account.
    #[error("{0}")]
    Conflict(&'static str),
    /// The database said no, or nothing.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Failure for IdentityError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Invalid(error) => error.kind(),
            Self::Deactivated => ErrorKind::Forbidden,
            Self::NotThisWay => ErrorKind::NotFound,
            Self::Conflict(_) => ErrorKind::Conflict,
            Self::Store(error) => error.kind(),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Invalid(error) => error.code(),
            Self::Deactivated => "account_deactivated",
            Self::NotThisWay => "sign_in_not_open",
            Self::Conflict(_) => "conflict",
            Self::Store(error) => error.code(),
        }
    }

    fn retry_after(&self) -> Option<u32> {
        match self {
            Self::Store(error) => error.retry_after(),
            Self::Invalid(_) | Self::Deactivated | Self::NotThisWay | Self::Conflict(_) => None,
        }
    }
}
