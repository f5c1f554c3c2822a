use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use omni_domain::{Actor, AppId, Clock, CollaborationId, Failure, Origin, Provenance, Role, Timestamp, User, UserId};

use crate::{
    ApiKeyDigest, Denied, Directory, Grant, Invited, KeyGrant, Member, PlatformGrant, Rank, Scope, Session, SessionKey,
    Standing,
};

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

    /// Who the holder of this session is, who asks from `origin`.
    ///
    /// # Errors
    /// [`Denied::Unauthenticated`] if the session is unknown or over, [`Denied::Deactivated`] if the account is.
    pub async fn session(&self, key: SessionKey, origin: Origin) -> Result<Session, Denied> {
        let now = self.clock.now();
        let user = self.directory.person(&key, now).await?.ok_or(Denied::Unauthenticated)?;
        let by = provenance(&user, origin, now);
        if !user.is_active {
            return Err(self.tell(None, &by, Denied::Deactivated));
        }
        let omniadmin = self.omniadmins.include(&user);
        Ok(Session::new(user, key, omniadmin, by))
    }

    /// Leave for a program that holds the key behind this digest, which asks from `origin`.
    ///
    /// # Errors
    /// [`Denied::UnknownKey`] if there is none, [`Denied::Deactivated`] if the account of the app's owner is.
    pub async fn key(&self, digest: &ApiKeyDigest, origin: Origin) -> Result<KeyGrant, Denied> {
        let now = self.clock.now();
        let key = self.directory.key(digest, now).await?.ok_or(Denied::UnknownKey)?;
        let actor = Actor { user: None, key: Some(key.id), name: key.name.clone() };
        let by = Arc::new(Provenance { actor, origin, at: now });
        if !key.owner_is_active {
            return Err(self.tell(Some(key.app), &by, Denied::Deactivated));
        }
        Ok(KeyGrant::new(key, by))
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
        let standing = self.directory.standing(session.user_id(), scope).await?;
        let Standing { app, member } = standing.ok_or(Denied::Hidden)?;
        let refusal = match held(session.is_omniadmin(), member) {
            // Whoever may see both apps has made a mistake, and nobody has to know.
            Some(_) if named.is_some_and(|named| named != app) => return Err(Denied::Hidden),
            Some(held) if held >= R::ROLE => {
                return Ok(Grant::new(session.user_id(), app, held, Arc::clone(session.by())));
            }
            Some(_) => Denied::Forbidden { needed: R::ROLE },
            None => Denied::Hidden,
        };
        Err(self.tell(Some(app), session.by(), refusal))
    }

    /// Has the audit trail keep a refusal.
    fn tell(&self, app: Option<AppId>, by: &Arc<Provenance>, refusal: Denied) -> Denied {
        self.directory.refused(app, by, refusal.code());
        refusal
    }

    /// Has the audit trail keep that a request from `origin`, which came with this session, was turned away for the reason
    /// of this code before anybody asked who sends it. A session that opens nothing is nobody's.
    pub async fn turned_away(&self, key: SessionKey, origin: Origin, code: &'static str) {
        let now = self.clock.now();
        // If the directory is away, nothing can be kept either.
        if let Ok(Some(user)) = self.directory.person(&key, now).await {
            self.directory.refused(None, &provenance(&user, origin, now), code);
        }
    }

    /// Those of these sessions that are over: for what goes on longer than the request that opened it.
    ///
    /// # Errors
    /// [`Denied::Unanswered`] if the directory cannot answer; then none is over.
    pub async fn ended(&self, sessions: &[SessionKey]) -> Result<Vec<SessionKey>, Denied> {
        Ok(self.directory.ended(sessions, self.clock.now()).await?)
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

    /// Leave for work that outlives its request, done for `person` or, if nobody asked for it, for the app's owner. Whoever
    /// could not do it by hand any more has nobody else do it: the grant is minted anew each time the work is taken up.
    ///
    /// # Errors
    /// [`Denied::Hidden`] if the app is gone, [`Denied::Forbidden`] if the person's role is too low by now or their account
    /// is deactivated.
    pub async fn work<R: Rank>(&self, app: AppId, person: Option<UserId>, what: &str) -> Result<Grant<R>, Denied> {
        let person = match person {
            Some(person) => person,
            None => self.directory.owner(app).await?.ok_or(Denied::Hidden)?,
        };
        let found = self.directory.standings(&[(person, app)]).await?;
        let (user, standing) = found.into_iter().next().ok_or(Denied::Hidden)?;
        let held =
            held(self.omniadmins.include(&user), standing.member).filter(|held| user.is_active && *held >= R::ROLE);
        let held = held.ok_or(Denied::Forbidden { needed: R::ROLE })?;
        let actor = Actor { user: Some(user.id), key: None, name: user.email };
        let origin = Origin { call: what.to_owned(), ..Origin::default() };
        let by = Provenance { actor, origin, at: self.clock.now() };
        Ok(Grant::new(person, app, held, Arc::new(by)))
    }

    /// Leave to act above all apps.
    ///
    /// # Errors
    /// [`Denied::Forbidden`] if the person's role is too low.
    pub async fn platform<R: Rank>(&self, session: &Session) -> Result<PlatformGrant<R>, Denied> {
        if session.platform_role() < R::ROLE {
            return Err(self.tell(None, session.by(), Denied::Forbidden { needed: R::ROLE }));
        }
        Ok(PlatformGrant::new(session.user_id(), Arc::clone(session.by())))
    }

    /// Leave to answer an invitation. It was sent to an address, so it is for whoever has proven that the address is theirs.
    ///
    /// # Errors
    /// [`Denied::Hidden`] if it is somebody else's or there is none.
    pub async fn invited(&self, session: &Session, invitation: CollaborationId) -> Result<Invited, Denied> {
        if session.user().email_verified && self.directory.is_invited(session.user(), invitation).await? {
            Ok(Invited::new(session.user_id(), invitation, Arc::clone(session.by())))
        } else {
            let standing = self.directory.standing(session.user_id(), &Scope::Collaboration(invitation)).await?;
            match standing {
                Some(Standing { app, .. }) => Err(self.tell(Some(app), session.by(), Denied::Hidden)),
                None => Err(Denied::Hidden),
            }
        }
    }
}

/// Somebody who acts from `origin` now.
fn provenance(user: &User, origin: Origin, at: Timestamp) -> Arc<Provenance> {
    let actor = Actor { user: Some(user.id), key: None, name: user.email.clone() };
    Arc::new(Provenance { actor, origin, at })
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
