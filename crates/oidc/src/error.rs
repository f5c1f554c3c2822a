use omni_domain::{ErrorKind, Failure};
use omni_egress::EgressError;
use thiserror::Error;

/// Why nobody could be signed in by the provider.
///
/// The message is for the person at the browser; what the operator needs beyond it is in the source, for the log.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum OidcError {
    /// The provider did not answer, or not with what was asked for.
    #[error("the identity provider cannot be reached at the moment; try again in a minute")]
    Unreachable {
        /// Which of its endpoints, and what happened.
        #[source]
        cause: Trouble,
    },
    /// The provider did not answer in time.
    #[error("the identity provider did not answer in time; try again in a minute")]
    TimedOut {
        /// Which of its endpoints, and what happened.
        #[source]
        cause: Trouble,
    },
    /// What the provider says of itself cannot be used; the operator has to look at it.
    #[error("the identity provider is not set up for this server; the operator finds the reason in the log")]
    Unsuitable {
        /// What is wrong with it.
        #[source]
        problem: Problem,
    },
    /// The provider did not take the code: it is used, over, or was never given.
    #[error("the identity provider did not accept this sign-in; sign in again")]
    CodeRefused {
        /// The provider's own name for it.
        #[source]
        problem: Problem,
    },
    /// What the provider said of the person is not to be believed.
    #[error("the identity provider's answer was not accepted: {0}")]
    Refused(Flaw),
}

/// A request to the provider that failed.
#[derive(Debug, Error)]
#[error("the provider's {endpoint} endpoint")]
pub struct Trouble {
    pub(crate) endpoint: &'static str,
    #[source]
    pub(crate) cause: Cause,
}

type Cause = Box<dyn std::error::Error + Send + Sync>;

/// What is wrong, for the log.
#[derive(Debug, Error)]
#[error("{0}")]
pub struct Problem(pub(crate) String);

/// What is wrong with what the provider said of a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Flaw {
    /// It is no signed token, or its parts are not what a token has.
    #[error("the ID token cannot be read")]
    Malformed,
    /// It is signed in a way that the provider does not announce, or that is not believed from anybody.
    #[error("the ID token is signed in a way that is not accepted")]
    Algorithm,
    /// It is signed by a key that the provider does not publish.
    #[error("the ID token's key is not one of the provider's")]
    Key,
    /// Its signature is not the key's.
    #[error("the ID token's signature is wrong")]
    Signature,
    /// It is of another provider.
    #[error("the answer is another provider's")]
    Issuer,
    /// It is for another client.
    #[error("the ID token is for somebody else")]
    Audience,
    /// It was given to another client.
    #[error("the ID token was given to somebody else")]
    AuthorizedParty,
    /// Its time is over.
    #[error("the ID token is over")]
    Expired,
    /// Its time has not come.
    #[error("the ID token is not valid yet; is this machine's clock right?")]
    NotYet,
    /// It answers another sign-in.
    #[error("the ID token answers another sign-in")]
    Nonce,
    /// It does not say of whom it speaks.
    #[error("the ID token names nobody")]
    Subject,
    /// The provider's further word is about another person than its ID token.
    #[error("the provider's user information is about somebody else")]
    OtherPerson,
}

impl OidcError {
    pub(crate) fn egress(endpoint: &'static str, error: EgressError) -> Self {
        let is_slow = error.kind() == ErrorKind::UpstreamTimeout;
        let cause = Trouble { endpoint, cause: Box::new(error) };
        if is_slow { Self::TimedOut { cause } } else { Self::Unreachable { cause } }
    }

    pub(crate) fn answered(endpoint: &'static str, problem: impl Into<String>) -> Self {
        Self::Unreachable { cause: Trouble { endpoint, cause: Box::new(Problem(problem.into())) } }
    }

    pub(crate) fn unsuitable(problem: impl Into<String>) -> Self {
        Self::Unsuitable { problem: Problem(problem.into()) }
    }
}

impl From<Flaw> for OidcError {
    fn from(flaw: Flaw) -> Self {
        Self::Refused(flaw)
    }
}

impl Flaw {
    /// A stable name for programs.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Malformed => "id_token_malformed",
            Self::Algorithm => "id_token_algorithm",
            Self::Key => "id_token_key",
            Self::Signature => "id_token_signature",
            Self::Issuer => "id_token_issuer",
            Self::Audience => "id_token_audience",
            Self::AuthorizedParty => "id_token_authorized_party",
            Self::Expired => "id_token_expired",
            Self::NotYet => "id_token_not_yet_valid",
            Self::Nonce => "id_token_nonce",
            Self::Subject => "id_token_subject",
            Self::OtherPerson => "userinfo_subject",
        }
    }
}

impl Failure for OidcError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Unreachable { .. } | Self::Unsuitable { .. } | Self::Refused(_) => ErrorKind::Upstream,
            Self::TimedOut { .. } => ErrorKind::UpstreamTimeout,
            Self::CodeRefused { .. } => ErrorKind::Invalid,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Unreachable { .. } => "identity_provider_unreachable",
            Self::TimedOut { .. } => "identity_provider_timeout",
            Self::Unsuitable { .. } => "identity_provider_unsuitable",
            Self::CodeRefused { .. } => "sign_in_code_refused",
            Self::Refused(flaw) => flaw.code(),
        }
    }
}
