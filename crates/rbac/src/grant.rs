use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use omni_domain::{ApiKeyId, AppId, CollaborationId, Provenance, Role, UserId};

use crate::{AtLeast, Rank};

/// Proof that one person may act in one app at rank `R`. Only an [`Authority`](crate::Authority) makes one.
///
/// A grant holds for the request or task that asked for it. It is never stored or sent: work that outlives its asker keeps
/// the actor and the app, and asks again.
pub struct Grant<R: Rank> {
    actor: UserId,
    app: AppId,
    held: Role,
    by: Arc<Provenance>,
    rank: PhantomData<fn() -> R>,
}

impl<R: Rank> Grant<R> {
    pub(crate) const fn new(actor: UserId, app: AppId, held: Role, by: Arc<Provenance>) -> Self {
        Self { actor, app, held, by, rank: PhantomData }
    }

    /// Who acts.
    #[must_use]
    pub const fn actor(&self) -> UserId {
        self.actor
    }

    /// The app that the actor may act in, and the only tenant filter that a query needs.
    #[must_use]
    pub const fn app(&self) -> AppId {
        self.app
    }

    /// The role that the actor really has in the app, at or above `R`.
    #[must_use]
    pub const fn held(&self) -> Role {
        self.held
    }

    /// Who acts and from where, for the audit trail.
    #[must_use]
    pub fn by(&self) -> &Provenance {
        &self.by
    }

    /// The same grant at a lower rank.
    #[must_use]
    pub fn at<Lower: Rank>(&self) -> Grant<Lower>
    where
        R: AtLeast<Lower>,
    {
        Grant::new(self.actor, self.app, self.held, Arc::clone(&self.by))
    }
}

impl<R: Rank> fmt::Debug for Grant<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Grant<{}>(user {} as {} in app {})", R::ROLE, self.actor, self.held, self.app)
    }
}

/// Proof that one person may act above all apps at rank `R`.
pub struct PlatformGrant<R: Rank> {
    actor: UserId,
    by: Arc<Provenance>,
    rank: PhantomData<fn() -> R>,
}

impl<R: Rank> PlatformGrant<R> {
    pub(crate) const fn new(actor: UserId, by: Arc<Provenance>) -> Self {
        Self { actor, by, rank: PhantomData }
    }

    /// Who acts and from where, for the audit trail.
    #[must_use]
    pub fn by(&self) -> &Provenance {
        &self.by
    }

    /// Who acts.
    #[must_use]
    pub const fn actor(&self) -> UserId {
        self.actor
    }
}

impl<R: Rank> fmt::Debug for PlatformGrant<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PlatformGrant<{}>(user {})", R::ROLE, self.actor)
    }
}

/// Proof that one person is the one whom an invitation asks, and so may answer it.
#[derive(Debug)]
pub struct Invited {
    person: UserId,
    invitation: CollaborationId,
    by: Arc<Provenance>,
}

impl Invited {
    pub(crate) const fn new(person: UserId, invitation: CollaborationId, by: Arc<Provenance>) -> Self {
        Self { person, invitation, by }
    }

    /// Who acts and from where, for the audit trail.
    #[must_use]
    pub fn by(&self) -> &Provenance {
        &self.by
    }

    /// Who is invited.
    #[must_use]
    pub const fn person(&self) -> UserId {
        self.person
    }

    /// The invitation.
    #[must_use]
    pub const fn invitation(&self) -> CollaborationId {
        self.invitation
    }
}

/// Proof that a program holds a key of an app that is good now.
#[derive(Debug)]
pub struct KeyGrant {
    key: KnownKey,
    by: Arc<Provenance>,
}

/// An API key as its app knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownKey {
    /// The key's number.
    pub id: ApiKeyId,
    /// What people call it.
    pub name: String,
    /// The app that it opens.
    pub app: AppId,
    /// How many requests a minute it takes; 0 is without limit.
    pub rate_limit: u32,
    /// Whether the app's owner is let in. Whose account is shut has no programs that act for them.
    pub owner_is_active: bool,
}

impl KeyGrant {
    pub(crate) const fn new(key: KnownKey, by: Arc<Provenance>) -> Self {
        Self { key, by }
    }

    /// The key.
    #[must_use]
    pub const fn key(&self) -> &KnownKey {
        &self.key
    }

    /// The app that the key opens, and the only tenant filter that a query needs.
    #[must_use]
    pub const fn app(&self) -> AppId {
        self.key.app
    }

    /// Who acts and from where, for the audit trail.
    #[must_use]
    pub fn by(&self) -> &Provenance {
        &self.by
    }
}

/// Leave for the program itself, acting for nobody: the first start, the clean-up after a crash. The reason is written
/// where it is made, and the few places that make one are counted by a test.
#[derive(Debug)]
pub struct SystemGrant {
    reason: &'static str,
}

impl SystemGrant {
    /// Makes one for a stated reason.
    #[must_use]
    pub const fn because(reason: &'static str) -> Self {
        Self { reason }
    }

    /// Why the program acts by itself.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        self.reason
    }
}
