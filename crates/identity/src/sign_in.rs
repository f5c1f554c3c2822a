use std::fmt;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use omni_domain::{Clock, Entropy, Text, Timestamp, User, email, required_text};
use omni_persistence::{NewSession, Store};
use omni_rbac::{Session, SessionKey, SystemGrant};
use secrecy::SecretString;
use time::Duration;

use crate::IdentityError;

/// Begins and ends sessions.
pub struct Identity {
    store: Store,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    lifetime: Duration,
    /// The address that FAKE mode signs in by itself; none outside FAKE mode.
    fake_user: Option<String>,
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity")
            .field("lifetime", &self.lifetime)
            .field("fake_user", &self.fake_user)
            .finish_non_exhaustive()
    }
}

/// Somebody who has just been signed in.
#[derive(Debug)]
pub struct SignedIn {
    /// Who.
    pub user: User,
    /// The session's secret, for the cookie.
    pub secret: SecretString,
    /// What the session is found by.
    pub key: SessionKey,
    /// When the session ends at the latest.
    pub expires: Timestamp,
}

impl Identity {
    /// Sessions end `lifetime` after they begin. In FAKE mode, `fake_user` is who is signed in unless somebody else asks.
    #[must_use]
    pub fn new(
        store: Store,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        lifetime: Duration,
        fake_user: Option<String>,
    ) -> Self {
        Self { store, clock, entropy, lifetime, fake_user }
    }

    /// Whether the server runs in FAKE mode, in which nobody has to prove who they are.
    #[must_use]
    pub const fn is_fake(&self) -> bool {
        self.fake_user.is_some()
    }

    /// FAKE mode: signs in whoever `address` names, or the usual person. `previous` is the session that the browser
    /// carried so far; it ends.
    ///
    /// # Errors
    /// [`IdentityError::NotThisWay`] outside FAKE mode, [`IdentityError::Invalid`] for what is no address,
    /// [`IdentityError::Deactivated`] for a person who was shut out.
    pub async fn sign_in_as(
        &self,
        address: Option<&str>,
        previous: Option<&SessionKey>,
    ) -> Result<SignedIn, IdentityError> {
        let usual = self.fake_user.as_deref().ok_or(IdentityError::NotThisWay)?;
        let address = email("email", address.unwrap_or(usual))?;
        let name = address.split('@').next().unwrap_or(&address);
        let user = self.store.person_by_email(&address, name, self.clock.now()).await?;
        self.begin(user, previous).await
    }

    /// Ends a session.
    ///
    /// # Errors
    /// If the database is away.
    pub async fn sign_out(&self, key: &SessionKey) -> Result<(), IdentityError> {
        Ok(self.store.end_session(key).await?)
    }

    /// Gives the signed-in person another name.
    ///
    /// # Errors
    /// [`IdentityError::Invalid`] if it is no name.
    pub async fn rename(&self, session: &Session, name: &str) -> Result<User, IdentityError> {
        let name = required_text("name", name, Text::Name)?;
        Ok(self.store.rename_person(session, &name).await?)
    }

    /// Removes the sessions that are over, and says how many there were.
    ///
    /// # Errors
    /// If the database is away.
    pub async fn sweep(&self, leave: &SystemGrant) -> Result<usize, IdentityError> {
        Ok(self.store.sweep_sessions(leave, self.clock.now()).await?)
    }

    async fn begin(&self, user: User, previous: Option<&SessionKey>) -> Result<SignedIn, IdentityError> {
        if !user.is_active {
            return Err(IdentityError::Deactivated);
        }
        let mut bytes = [0; 32];
        self.entropy.fill(&mut bytes);
        let secret = URL_SAFE_NO_PAD.encode(bytes);
        let key = SessionKey::of(&secret);
        let created = self.clock.now();
        let expires = created + self.lifetime;
        self.store.begin_session(&NewSession { key, user: user.id, created, expires }, previous).await?;
        Ok(SignedIn { user, secret: SecretString::from(secret), key, expires })
    }
}
