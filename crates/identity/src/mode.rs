use omni_oidc::RelyingParty;
use time::Duration;

/// How people sign in.
#[derive(Debug)]
pub enum Mode {
    /// Whoever comes is believed.
    Fake {
        /// The address of who is signed in unless somebody else asks.
        user: String,
    },
    /// An identity provider says who somebody is.
    OpenId {
        /// The provider, seen from here.
        provider: Box<RelyingParty>,
        /// Which of its addresses count as proven.
        emails: EmailTrust,
    },
}

/// Which of a provider's e-mail addresses count as proven. Only a proven one opens an account that was there before the
/// person's first sign-in, and only a proven one makes an omniadmin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EmailTrust {
    /// Those that the provider says it has verified.
    Verified,
    /// All of them: nobody but the provider's administrators can set one.
    Trusted,
}

/// How long sessions last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionLimits {
    /// However busy they are.
    pub lifetime: Duration,
    /// When nobody uses them.
    pub idle: Duration,
}
