use omni_domain::{ErrorKind, Failure, Role};
use thiserror::Error;

use crate::DirectoryError;

/// Why an [`Authority`](crate::Authority) minted nothing.
#[derive(Debug, Error)]
pub enum Denied {
    /// There is no session, or it is over.
    #[error("sign in first")]
    Unauthenticated,
    /// There is no such API key, or it was revoked.
    #[error("this API key opens nothing; send one of the app's keys in X-API-KEY or as a Bearer token")]
    UnknownKey,
    /// The account is deactivated.
    #[error("this account is deactivated")]
    Deactivated,
    /// It does not exist, or the person must not learn that it does: the two are one answer.
    #[error("not found")]
    Hidden,
    /// The person is a member, but of too low a role.
    #[error("this takes the role {needed} or higher")]
    Forbidden {
        /// The lowest role that may.
        needed: Role,
    },
    /// The question could not be answered.
    #[error(transparent)]
    Unanswered(#[from] DirectoryError),
}

impl Failure for Denied {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Unauthenticated | Self::UnknownKey => ErrorKind::Unauthenticated,
            Self::Deactivated | Self::Forbidden { .. } => ErrorKind::Forbidden,
            Self::Hidden => ErrorKind::NotFound,
            Self::Unanswered(error) => error.kind,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Unauthenticated => "not_signed_in",
            Self::UnknownKey => "api_key_unknown",
            Self::Deactivated => "account_deactivated",
            Self::Hidden => "not_found",
            Self::Forbidden { .. } => "role_too_low",
            Self::Unanswered(_) => "directory_unavailable",
        }
    }
}
