use std::sync::Arc;

use omni_domain::{Actor, AppId, Clock, Origin, Provenance};
use omni_persistence::{NewSession, Refusals, Store, StoreDirectory, Way};
use omni_rbac::{Authority, Grant, Omniadmins, Rank, Scope, Session, SessionKey};

use crate::{ManualClock, TestDatabase};

/// Sessions and grants over a test's database, for tests of what takes one and has no HTTP around it.
#[derive(Debug)]
pub struct Mint {
    store: Store,
    authority: Authority,
    /// Nobody reads whom it refuses.
    _refusals: Refusals,
    clock: ManualClock,
}

impl Mint {
    /// A mint whose clock stands still.
    #[must_use]
    pub fn over(database: &TestDatabase) -> Self {
        let (store, clock) = (database.store(), ManualClock::default());
        let (directory, refusals) = StoreDirectory::new(store.clone());
        #[expect(clippy::disallowed_methods, reason = "the one mint of this test")]
        let authority = Authority::new(Arc::new(directory), Omniadmins::default(), Arc::new(clock.clone()));
        Self { store, authority, _refusals: refusals, clock }
    }

    /// Signs somebody in; the account is made if there is none.
    ///
    /// # Panics
    /// If the database is away.
    pub async fn session(&self, email: &str) -> Session {
        let now = self.clock.now();
        let user = self.store.person_by_email(email, email, now).await.unwrap();
        let new = NewSession {
            key: SessionKey::of(email),
            user: user.id,
            way: Way::Fake,
            created: now,
            expires: now + time::Duration::hours(1),
            idle: time::Duration::hours(1),
            user_agent: None,
            address: None,
        };
        let actor = Actor { user: Some(user.id), key: None, name: email.to_owned() };
        let by = Provenance { actor, origin: Origin::default(), at: now };
        assert!(self.store.begin_session(&new, Some(&new.key), &by).await.unwrap(), "the account is open");
        self.authority.session(new.key, Origin::default()).await.unwrap()
    }

    /// Leave for somebody to act in an app.
    ///
    /// # Panics
    /// If they may not.
    pub async fn grant<R: Rank>(&self, session: &Session, app: AppId) -> Grant<R> {
        self.authority.grant(session, &Scope::App(app), None).await.unwrap()
    }
}
