use omni_domain::{ErrorKind, Failure, Invalid};
use omni_oidc::OidcError;
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
    /// What came back from the provider belongs to no sign-in that was begun in this browser and waits.
    #[error("this sign-in is over, was used before, or was begun in another browser; sign in again")]
    UnknownSignIn,
    /// The provider signed nobody in.
    #[error("the identity provider did not sign you in ({0}); sign in again")]
    Declined(String),
    /// The provider gave no usable e-mail address, and an account takes one.
    #[error("the identity provider gives this server no e-mail address of yours, and an account takes one")]
    NoAddress,
    /// There is an account with the person's address, and the provider does not say that the address is theirs.
    #[error(
        "there is an account with your e-mail address, and the identity provider does not say that it has verified the \
         address; have it verified there, then sign in again"
    )]
    UnprovenAddress,
    /// The account with the person's address belongs to somebody else at the provider.
    #[error(
        "the account with your e-mail address belongs to another person at the identity provider; ask the operator"
    )]
    AddressTaken,
    /// Too many guesses were wrong.
    #[error("too many attempts went wrong; try again in a minute")]
    TooManyGuesses {
        /// After how many seconds another one counts.
        resets_in: u32,
    },
    /// Too many sign-ins were begun from one address.
    #[error("too many sign-ins were begun from your address; try again in a minute")]
    TooManySignIns {
        /// After how many seconds another one may be begun.
        resets_in: u32,
    },
    /// The provider could not be asked, or said what is not to be believed.
    #[error(transparent)]
    Provider(#[from] OidcError),
    /// The database said no, or nothing.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Failure for IdentityError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Invalid(error) => error.kind(),
            Self::Deactivated | Self::Declined(_) | Self::NoAddress | Self::UnprovenAddress => ErrorKind::Forbidden,
            Self::NotThisWay => ErrorKind::NotFound,
            Self::Conflict(_) => ErrorKind::Conflict,
            Self::UnknownSignIn => ErrorKind::Invalid,
            Self::AddressTaken => ErrorKind::Conflict,
            Self::TooManyGuesses { .. } | Self::TooManySignIns { .. } => ErrorKind::RateLimited,
            Self::Provider(error) => error.kind(),
            Self::Store(error) => error.kind(),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Invalid(error) => error.code(),
            Self::Deactivated => "account_deactivated",
            Self::NotThisWay => "sign_in_not_open",
            Self::Conflict(_) => "conflict",
            Self::UnknownSignIn => "sign_in_unknown",
            Self::Declined(_) => "sign_in_declined",
            Self::NoAddress => "email_missing",
            Self::UnprovenAddress => "email_unverified",
            Self::AddressTaken => "email_taken",
            Self::TooManyGuesses { .. } => "too_many_attempts",
            Self::TooManySignIns { .. } => "too_many_sign_ins",
            Self::Provider(error) => error.code(),
            Self::Store(error) => error.code(),
        }
    }

    fn retry_after(&self) -> Option<u32> {
        match self {
            Self::Store(error) => error.retry_after(),
            Self::TooManyGuesses { resets_in } | Self::TooManySignIns { resets_in } => Some(*resets_in),
            _ => None,
        }
    }
}
