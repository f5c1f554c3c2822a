use std::fmt;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use omni_domain::{
    Actor, Clock, Entropy, OpenSession, Origin, Provenance, SessionId, Text, Timestamp, User, email, required_text,
};
use omni_persistence::{NewSession, Store, Way};
use omni_rbac::{Session, SessionKey, SystemGrant};
use secrecy::SecretString;
use url::Url;

use crate::guesses::GuessedAccount;
use crate::{Guess, Guesses, IdentityError, Mode, SessionLimits};

/// Begins and ends sessions.
pub struct Identity {
    pub(crate) store: Store,
    pub(crate) clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    limits: SessionLimits,
    pub(crate) mode: Mode,
    pub(crate) guesses: Guesses,
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").field("limits", &self.limits).field("mode", &self.mode).finish_non_exhaustive()
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

/// Who knocks: what a session's owner will know it by.
#[derive(Debug, Clone, Default)]
pub struct Visitor {
    /// From where.
    pub origin: Origin,
    /// The session that the browser carried so far; it ends when another begins.
    pub previous: Option<SessionKey>,
}

impl Identity {
    /// Signs people in by `mode`, into sessions with these limits.
    #[must_use]
    pub fn new(
        store: Store,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        limits: SessionLimits,
        mode: Mode,
    ) -> Self {
        let guesses = Guesses::new(store.clone(), Arc::clone(&clock));
        Self { store, clock, entropy, limits, mode, guesses }
    }

    /// The count of wrong guesses.
    #[must_use]
    pub const fn guesses(&self) -> &Guesses {
        &self.guesses
    }

    /// Whether the server runs in FAKE mode, in which nobody has to prove who they are.
    #[must_use]
    pub const fn is_fake(&self) -> bool {
        matches!(self.mode, Mode::Fake { .. })
    }

    /// FAKE mode: signs in whoever `address` names, or the usual person.
    ///
    /// # Errors
    /// [`IdentityError::NotThisWay`] outside FAKE mode, [`IdentityError::Invalid`] for what is no address,
    /// [`IdentityError::Deactivated`] for a person who was shut out.
    pub async fn sign_in_as(&self, address: Option<&str>, visitor: &Visitor) -> Result<SignedIn, IdentityError> {
        let Mode::Fake { user: usual } = &self.mode else { return Err(IdentityError::NotThisWay) };
        let address = email("email", address.unwrap_or(usual))?;
        let name = address.split('@').next().unwrap_or(&address);
        self.guesses.allow(Guess::SignIn, &visitor.origin).await?;
        let account = GuessedAccount { subject: address.clone(), name: address.clone() };
        self.guesses.allow_account(&account).await?;
        let user = self.store.person_by_email(&address, name, self.clock.now()).await?;
        let begun = self.begin(user, Way::Fake, visitor).await;
        if let Err(error @ IdentityError::Deactivated) = &begun {
            self.guesses.count(Guess::SignIn, &visitor.origin, Some(&account), error).await;
        }
        begun
    }

    /// Ends the session that `visitor` comes with. Answers where the browser may go to sign out of the identity provider, too,
    /// and come back to `afterwards`.
    ///
    /// # Errors
    /// If the database is away.
    pub async fn sign_out(&self, visitor: &Visitor, afterwards: Option<&Url>) -> Result<Option<Url>, IdentityError> {
        let Some(key) = &visitor.previous else { return Ok(None) };
        let was_open = self.store.end_session(key, &visitor.origin, self.clock.now()).await?;
        match (&self.mode, afterwards) {
            (Mode::OpenId { provider, .. }, Some(afterwards)) if was_open => {
                Ok(provider.end_session_url(afterwards).await)
            }
            _ => Ok(None),
        }
    }

    /// The sessions of whoever asks that are open now, the last used first.
    ///
    /// # Errors
    /// If the database is away.
    pub async fn own_sessions(&self, session: &Session) -> Result<Vec<OpenSession>, IdentityError> {
        Ok(self.store.own_sessions(session, self.clock.now()).await?)
    }

    /// Ends one session of whoever asks, everywhere at once.
    ///
    /// # Errors
    /// If they have no such session.
    pub async fn end_own_session(&self, session: &Session, id: SessionId) -> Result<(), IdentityError> {
        Ok(self.store.end_own_session(session, id).await?)
    }

    /// Gives the signed-in person another name.
    ///
    /// # Errors
    /// [`IdentityError::Invalid`] if it is no name.
    pub async fn rename(&self, session: &Session, name: &str) -> Result<User, IdentityError> {
        let name = required_text("name", name, Text::Name)?;
        Ok(self.store.rename_person(session, &name).await?)
    }

    /// Removes the sessions and sign-ins that are over, the counts of minutes that are, and of the audit trail what is older
    /// than `retention`. Says how many sessions there were.
    ///
    /// # Errors
    /// If the database is away.
    pub async fn sweep(
        &self,
        leave: &SystemGrant,
        retention: Option<std::time::Duration>,
    ) -> Result<usize, IdentityError> {
        let now = self.clock.now();
        self.store.sweep_allowances(leave, now).await?;
        if let Some(retention) = retention {
            let forgotten = self.store.forget_audit(leave, now - retention).await?;
            if forgotten > 0 {
                tracing::info!(forgotten, "the audit trail has let go of what is older than its retention");
            }
        }
        Ok(self.store.sweep_sessions(leave, now).await?)
    }

    /// Ends the sessions that began while people were signed in in another way, and says how many there were: whom FAKE
    /// mode believed, a provider has not vouched for.
    ///
    /// # Errors
    /// If the database is away.
    pub async fn end_sessions_of_other_modes(&self, leave: &SystemGrant) -> Result<usize, IdentityError> {
        let way = if self.is_fake() { Way::Fake } else { Way::Oidc };
        Ok(self.store.end_sessions_not_by(leave, way).await?)
    }

    pub(crate) async fn begin(&self, user: User, way: Way, visitor: &Visitor) -> Result<SignedIn, IdentityError> {
        if !user.is_active {
            return Err(IdentityError::Deactivated);
        }
        let secret = self.secret();
        let key = SessionKey::of(&secret);
        let created = self.clock.now();
        let expires = created + self.limits.lifetime;
        let new = NewSession {
            key,
            user: user.id,
            way,
            created,
            expires,
            idle: self.limits.idle,
            user_agent: visitor.origin.user_agent.clone(),
            address: visitor.origin.address.map(|address| address.to_canonical().to_string()),
        };
        let actor = Actor { user: Some(user.id), key: None, name: user.email.clone() };
        let by = Provenance { actor, origin: visitor.origin.clone(), at: created };
        if !self.store.begin_session(&new, visitor.previous.as_ref(), &by).await? {
            // It was shut since it was looked up.
            return Err(IdentityError::Deactivated);
        }
        Ok(SignedIn { user, secret: SecretString::from(secret), key, expires })
    }

    /// A secret that nobody guesses.
    pub(crate) fn secret(&self) -> String {
        secret(&*self.entropy)
    }
}

/// 256 random bits in letters.
fn secret(entropy: &dyn Entropy) -> String {
    let mut bytes = [0; 32];
    entropy.fill(&mut bytes);
    URL_SAFE_NO_PAD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use omni_process::OperatingSystem;

    use super::*;

    const SECRETS: u32 = 100_000;

    #[test]
    fn of_a_hundred_thousand_secrets_no_two_are_alike_and_no_bit_is_known() {
        let mut seen = HashSet::new();
        let mut ones = [0_u32; 256];
        for _ in 0..SECRETS {
            let secret = secret(&OperatingSystem);
            let bytes = URL_SAFE_NO_PAD.decode(&secret).unwrap();
            assert_eq!(bytes.len(), 32);
            for (bit, count) in ones.iter_mut().enumerate() {
                *count += u32::from(bytes[bit / 8] >> (bit % 8) & 1);
            }
            assert!(seen.insert(SessionKey::of(&secret)), "{secret} came twice");
        }
        // Six deviations: a fair coin leaves this corridor once in five hundred million runs.
        let fair = SECRETS / 2 - 950..SECRETS / 2 + 950;
        assert!(ones.iter().all(|count| fair.contains(count)), "{ones:?}");
    }
}
