use std::fmt;
use std::sync::Arc;

use omni_domain::{Provenance, Role, User, UserId};
use sha2::{Digest, Sha256};

/// What a session is found by: the SHA-256 of the secret in the cookie. The secret itself is never stored, so a copy of
/// the database opens no session.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SessionKey([u8; 32]);

impl SessionKey {
    /// What the session behind this secret is found by.
    #[must_use]
    pub fn of(secret: &str) -> Self {
        Self(Sha256::digest(secret.as_bytes()).into())
    }

    /// The digest.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for SessionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionKey(…)")
    }
}

/// Proof of who is signed in. Only an [`Authority`](crate::Authority) makes one, and only for an active account.
#[derive(Debug, Clone)]
pub struct Session {
    user: User,
    key: SessionKey,
    omniadmin: bool,
    by: Arc<Provenance>,
}

impl Session {
    pub(crate) const fn new(user: User, key: SessionKey, omniadmin: bool, by: Arc<Provenance>) -> Self {
        Self { user, key, omniadmin, by }
    }

    /// Who acts and from where, for the audit trail.
    #[must_use]
    pub const fn by(&self) -> &Arc<Provenance> {
        &self.by
    }

    /// The person, as the database has them now.
    #[must_use]
    pub const fn user(&self) -> &User {
        &self.user
    }

    /// The person's number.
    #[must_use]
    pub const fn user_id(&self) -> UserId {
        self.user.id
    }

    /// What the session is found by, to end it.
    #[must_use]
    pub const fn key(&self) -> &SessionKey {
        &self.key
    }

    /// Whether the operator's configuration names this person.
    #[must_use]
    pub const fn is_omniadmin(&self) -> bool {
        self.omniadmin
    }

    /// The person's role outside every app: `omniadmin` or `user`.
    #[must_use]
    pub const fn platform_role(&self) -> Role {
        if self.omniadmin { Role::Omniadmin } else { Role::User }
    }
}
