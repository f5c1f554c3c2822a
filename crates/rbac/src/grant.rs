use std::fmt;
use std::marker::PhantomData;

use omni_domain::{AppId, CollaborationId, Role, UserId};

use crate::{AtLeast, Rank};

/// Proof that one person may act in one app at rank `R`. Only an [`Authority`](crate::Authority) makes one.
///
/// A grant holds for the request or task that asked for it. It is never stored or sent: work that outlives its asker keeps
/// the actor and the app, and asks again.
pub struct Grant<R: Rank> {
    actor: UserId,
    app: AppId,
    held: Role,
    rank: PhantomData<fn() -> R>,
}

impl<R: Rank> Grant<R> {
    pub(crate) const fn new(actor: UserId, app: AppId, held: Role) -> Self {
        Self { actor, app, held, rank: PhantomData }
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

    /// The same grant at a lower rank.
    #[must_use]
    pub const fn at<Lower: Rank>(&self) -> Grant<Lower>
    where
        R: AtLeast<Lower>,
    {
        Grant::new(self.actor, self.app, self.held)
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
    rank: PhantomData<fn() -> R>,
}

impl<R: Rank> PlatformGrant<R> {
    pub(crate) const fn new(actor: UserId) -> Self {
        Self { actor, rank: PhantomData }
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
}

impl Invited {
    pub(crate) const fn new(person: UserId, invitation: CollaborationId) -> Self {
        Self { person, invitation }
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
