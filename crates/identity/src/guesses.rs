//! Wrong guesses are slowed: whoever tries what is not theirs may do so a few times a minute, counted by address and by
//! account, on all replicas together. Whoever guesses right is never counted.

use std::sync::Arc;

use omni_domain::{Actor, Clock, Deed, Failure, MinuteWindow, Origin, Provenance, error_chain};
use omni_persistence::{Allowance, Store};

use crate::IdentityError;

/// Wrong guesses a minute from one address. People behind one address share them.
const MOST_OF_ADDRESS: u32 = 30;
/// Sign-ins that are begun a minute from one address, rightly or not.
const MOST_BEGUN: u32 = 60;
/// Wrong guesses a minute at one account, from wherever.
const MOST_OF_ACCOUNT: u32 = 10;

/// What is guessed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Guess {
    /// A way into an account.
    SignIn,
    /// An API key.
    ApiKey,
}

impl Guess {
    const fn of_address(self) -> &'static str {
        match self {
            Self::SignIn => "sign_in_address",
            Self::ApiKey => "api_key_address",
        }
    }

    const fn action(self) -> &'static str {
        match self {
            Self::SignIn => "session.begin",
            Self::ApiKey => "api_key.use",
        }
    }
}

/// The account that is guessed at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct GuessedAccount {
    /// What it is counted by: what nobody else can make be counted.
    pub(crate) subject: String,
    /// What the trail calls it.
    pub(crate) name: String,
}

/// Counts wrong guesses.
#[derive(Clone)]
pub struct Guesses {
    store: Store,
    clock: Arc<dyn Clock>,
}

impl std::fmt::Debug for Guesses {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Guesses").finish_non_exhaustive()
    }
}

impl Guesses {
    /// Counts them in `store`.
    #[must_use]
    pub fn new(store: Store, clock: Arc<dyn Clock>) -> Self {
        Self { store, clock }
    }

    /// Counts a wrong guess at a key and has the audit trail keep it. Only who guesses wrong is slowed: nothing is asked of
    /// whoever holds a good key, be it at the same address.
    ///
    /// # Errors
    /// [`IdentityError::TooManyGuesses`] if too many were wrong this minute.
    pub async fn miss(&self, guess: Guess, origin: &Origin, why: &impl Failure) -> Result<(), IdentityError> {
        self.allow(guess, origin).await?;
        self.count(guess, origin, None, why).await;
        Ok(())
    }

    /// Whether another guess may be made from there.
    ///
    /// # Errors
    /// [`IdentityError::TooManyGuesses`] if too many were wrong this minute.
    pub(crate) async fn allow(&self, guess: Guess, origin: &Origin) -> Result<(), IdentityError> {
        let address = address(origin);
        self.check(Allowance { kind: guess.of_address(), subject: &address, most: MOST_OF_ADDRESS }).await
    }

    /// Whether another guess at this account may be made, from wherever.
    ///
    /// # Errors
    /// As [`Guesses::allow`].
    pub(crate) async fn allow_account(&self, account: &GuessedAccount) -> Result<(), IdentityError> {
        self.check(of_account(account)).await
    }

    /// Takes one of the sign-ins that may be begun from there.
    ///
    /// # Errors
    /// [`IdentityError::TooManySignIns`] if too many were begun this minute.
    pub(crate) async fn begin_one(&self, origin: &Origin) -> Result<(), IdentityError> {
        let (now, address) = (self.clock.now(), address(origin));
        let begun = Allowance { kind: "sign_in_begun", subject: &address, most: MOST_BEGUN };
        match self.store.draw(begun, now).await? {
            Some(_) => Ok(()),
            None => Err(IdentityError::TooManySignIns { resets_in: MinuteWindow::seconds_left(now) }),
        }
    }

    async fn check(&self, allowance: Allowance<'_>) -> Result<(), IdentityError> {
        let now = self.clock.now();
        if self.store.drawn(allowance, now).await? < allowance.most {
            return Ok(());
        }
        Err(IdentityError::TooManyGuesses { resets_in: MinuteWindow::seconds_left(now) })
    }

    /// Counts a wrong guess, and has the audit trail keep it. That it cannot be counted makes it no better.
    pub(crate) async fn count(
        &self,
        guess: Guess,
        origin: &Origin,
        account: Option<&GuessedAccount>,
        why: &impl Failure,
    ) {
        if let Err(error) = self.try_count(guess, origin, account, why.code()).await {
            tracing::warn!(error = error_chain(&error), "a wrong guess could not be counted");
        }
    }

    async fn try_count(
        &self,
        guess: Guess,
        origin: &Origin,
        account: Option<&GuessedAccount>,
        code: &str,
    ) -> Result<(), IdentityError> {
        let now = self.clock.now();
        let address = address(origin);
        let by_address = Allowance { kind: guess.of_address(), subject: &address, most: MOST_OF_ADDRESS };
        let counted = self.store.draw(by_address, now).await?;
        if let Some(account) = account {
            self.store.draw(of_account(account), now).await?;
        }
        if counted.is_some() {
            let actor =
                Actor { user: None, key: None, name: account.map(|account| account.name.clone()).unwrap_or_default() };
            let by = Provenance { actor, origin: origin.clone(), at: now };
            self.store.record_platform(&by, &Deed::refused(guess.action(), code)).await?;
        }
        Ok(())
    }
}

const fn of_account(account: &GuessedAccount) -> Allowance<'_> {
    Allowance { kind: "sign_in_account", subject: account.subject.as_str(), most: MOST_OF_ACCOUNT }
}

/// What an address is counted by. One subscriber has a whole network of IPv6 addresses, 64 bits of them at the least.
fn address(origin: &Origin) -> String {
    match origin.address.map(|address| address.to_canonical()) {
        None => "unknown".to_owned(),
        Some(std::net::IpAddr::V4(address)) => address.to_string(),
        Some(std::net::IpAddr::V6(address)) => {
            let [first, second, third, fourth, ..] = address.segments();
            format!("{first:x}:{second:x}:{third:x}:{fourth:x}::/64")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_of_addresses_is_one_caller() {
        let from = |text: &str| address(&Origin { address: Some(text.parse().unwrap()), ..Origin::default() });
        assert_eq!(from("203.0.113.7"), "203.0.113.7");
        assert_eq!(from("::ffff:203.0.113.7"), "203.0.113.7");
        assert_eq!(from("2001:db8:1:2:3::4"), from("2001:db8:1:2:ffff::1"));
        assert_ne!(from("2001:db8:1:2::1"), from("2001:db8:1:3::1"));
    }
}
