use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use omni_domain::{AppId, Clock, CollaborationId, Role, User, UserId};

use crate::{Denied, Directory, Grant, Invited, Member, PlatformGrant, Rank, Scope, Session, SessionKey, Standing};

/// The e-mail addresses that the operator's configuration makes omniadmins, compared without regard to case.
#[derive(Debug, Clone, Default)]
pub struct Omniadmins(BTreeSet<String>);

impl Omniadmins {
    /// Takes the addresses.
    pub fn new(addresses: impl IntoIterator<Item = String>) -> Self {
        Self(addresses.into_iter().map(|address| address.trim().to_lowercase()).filter(|a| !a.is_empty()).collect())
    }

    /// Whether the person is one of them: their address is, and it is known to be theirs.
    #[must_use]
    pub fn include(&self, person: &User) -> bool {
        person.email_verified && self.contains(&person.email)
    }

    fn contains(&self, email: &str) -> bool {
        self.0.contains(email) || self.0.contains(&email.to_lowercase())
    }

    /// The first address in alphabetical order, if there is any.
    #[must_use]
    pub fn first(&self) -> Option<&str> {
        self.0.first().map(String::as_str)
    }
}

/// The one mint of sessions and grants. A process makes one at its start and keeps it where requests come in; a lint
/// keeps everybody else from making another with a directory that says what they like.
pub struct Authority {
    directory: Arc<dyn Directory>,
    omniadmins: Omniadmins,
    clock: Arc<dyn Clock>,
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authority").field("omniadmins", &self.omniadmins).finish_non_exhaustive()
    }
}

impl Authority {
    /// Makes the mint over a directory.
    #[must_use]
    pub fn new(directory: Arc<dyn Directory>, omniadmins: Omniadmins, clock: Arc<dyn Clock>) -> Self {
        Self { directory, omniadmins, clock }
    }

    /// Who the holder of this session is.
    ///
    /// # Errors
    /// [`Denied::Unauthenticated`] if the session is unknown or over, [`Denied::Deactivated`] if the account is.
    pub async fn session(&self, key: SessionKey) -> Result<Session, Denied> {
        let user = self.directory.person(&key, self.clock.now()).await?.ok_or(Denied::Unauthenticated)?;
        if !user.is_active {
            return Err(Denied::Deactivated);
        }
        let omniadmin = self.omniadmins.include(&user);
        Ok(Session::new(user, key, omniadmin))
    }

    /// Leave to act in the app that `scope` points at. If the request also names an app, the two must be the same.
    ///
    /// # Errors
    /// [`Denied::Hidden`] if there is no such app or the person has no place in it, [`Denied::Forbidden`] if their role
    /// is too low.
    pub async fn grant<R: Rank>(
        &self,
        session: &Session,
        scope: &Scope,
        named: Option<AppId>,
    ) -> Result<Grant<R>, Denied> {
        let (app, held) = self.role_in(session, scope, named).await?;
        if held < R::ROLE {
            return Err(Denied::Forbidden { needed: R::ROLE });
        }
        Ok(Grant::new(session.user_id(), app, held))
    }

    /// Those of these people who would not get a grant of rank `R` in the app beside them any more: for what goes on
    /// longer than the request that was granted.
    ///
    /// # Errors
    /// [`Denied::Unavailable`] if the directory cannot answer; then nobody has fallen.
    pub async fn fallen<R: Rank>(&self, pairs: &[(UserId, AppId)]) -> Result<Vec<(UserId, AppId)>, Denied> {
        let found = self.directory.standings(pairs).await?;
        let standing: BTreeSet<(UserId, AppId)> = found
            .into_iter()
            .filter(|(user, standing)| {
                let held = held(self.omniadmins.include(user), standing.member);
                user.is_active && held.is_some_and(|held| held >= R::ROLE)
            })
            .map(|(user, standing)| (user.id, standing.app))
            .collect();
        Ok(pairs.iter().filter(|pair| !standing.contains(pair)).copied().collect())
    }

    /// Leave to act above all apps.
    ///
    /// # Errors
    /// [`Denied::Forbidden`] if the person's role is too low.
    pub fn platform<R: Rank>(&self, session: &Session) -> Result<PlatformGrant<R>, Denied> {
        if session.platform_role() < R::ROLE {
            return Err(Denied::Forbidden { needed: R::ROLE });
        }
        Ok(PlatformGrant::new(session.user_id()))
    }

    /// Leave to answer an invitation. It was sent to an address, so it is for whoever has proven that the address is theirs.
    ///
    /// # Errors
    /// [`Denied::Hidden`] if it is somebody else's or there is none.
    pub async fn invited(&self, session: &Session, invitation: CollaborationId) -> Result<Invited, Denied> {
        if session.user().email_verified && self.directory.is_invited(session.user(), invitation).await? {
            Ok(Invited::new(session.user_id(), invitation))
        } else {
            Err(Denied::Hidden)
        }
    }

    async fn role_in(&self, session: &Session, scope: &Scope, named: Option<AppId>) -> Result<(AppId, Role), Denied> {
        let Standing { app, member } =
            self.directory.standing(session.user_id(), scope).await?.ok_or(Denied::Hidden)?;
        if named.is_some_and(|named| named != app) {
            return Err(Denied::Hidden);
        }
        let held = held(session.is_omniadmin(), member).ok_or(Denied::Hidden)?;
        Ok((app, held))
    }
}

/// The role that somebody has in an app, or none.
const fn held(is_omniadmin: bool, member: Member) -> Option<Role> {
    match member {
        _ if is_omniadmin => Some(Role::Omniadmin),
        Member::Owner => Some(Role::Owner),
        Member::As(role) => Some(role),
        Member::No => None,
    }
}
