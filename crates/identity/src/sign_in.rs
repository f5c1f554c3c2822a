//! Signing in by an identity provider: the way there and the way back.
//!
//! Two secrets tie the ways together: the *state*, which comes back in the URL, and the browser's own, which stays in a
//! cookie. The database keeps the digest of each. The PKCE verifier is made of both and kept nowhere, so neither a copy of
//! the database nor an address that leaked is enough to finish somebody else's sign-in.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use omni_domain::{ErrorKind, Failure, Origin, Text, Timestamp, email, required_text};
use omni_oidc::{Answered, Attempt, Person};
use omni_persistence::{Admission, NewAttempt, Newcomer, Way};
use secrecy::SecretString;
use sha2::{Digest, Sha256};
use time::Duration;
use url::Url;

use crate::guesses::GuessedAccount;
use crate::{EmailTrust, Guess, Identity, IdentityError, Mode, SignedIn, Visitor};

/// How long somebody may take at the provider.
pub const ATTEMPT_LIFETIME: Duration = Duration::minutes(10);
/// The most characters that are repeated of the provider's name for an error.
const MOST_ERROR: usize = 60;

/// Somebody who leaves for the provider.
#[derive(Debug)]
pub struct Departure {
    /// Where the browser goes.
    pub url: Url,
    /// What tells this attempt's cookie from those of other tabs.
    pub tag: String,
    /// What the browser keeps, and only this browser.
    pub secret: SecretString,
    /// When it is too late to come back.
    pub expires: Timestamp,
}

/// Somebody who comes back, as the URL has it.
#[derive(Clone, Copy)]
pub struct Returned<'a> {
    /// Which attempt it is.
    pub state: &'a str,
    /// What the provider gives the ID token for.
    pub code: Option<&'a str>,
    /// Who the provider says it is.
    pub issuer: Option<&'a str>,
    /// Why there is no code.
    pub error: Option<&'a str>,
}

impl fmt::Debug for Returned<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Returned").field("issuer", &self.issuer).field("error", &self.error).finish_non_exhaustive()
    }
}

/// What tells the cookie of one attempt from those of others: no secret, and the same on the way back.
#[must_use]
pub fn attempt_tag(state: &str) -> String {
    digest(state).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

fn digest(secret: &str) -> [u8; 32] {
    Sha256::digest(secret).into()
}

fn verifier(browser: &str, state: &str) -> SecretString {
    let made = Sha256::new().chain_update("omni sign-in verifier\0").chain_update(browser).chain_update("\0");
    URL_SAFE_NO_PAD.encode(made.chain_update(state).finalize()).into()
}

impl Identity {
    /// Begins a sign-in by the identity provider, which leads back to `return_path`.
    ///
    /// # Errors
    /// [`IdentityError::NotThisWay`] in FAKE mode, [`IdentityError::Provider`] if the provider is away,
    /// [`IdentityError::TooManySignIns`] if too many are begun from there.
    pub async fn begin_sign_in(&self, return_path: &str, origin: &Origin) -> Result<Departure, IdentityError> {
        let Mode::OpenId { provider, .. } = &self.mode else { return Err(IdentityError::NotThisWay) };
        // Nobody is asked who they are here, and each leaves a row behind.
        self.guesses.begin_one(origin).await?;
        let (state, browser, nonce) = (self.secret(), self.secret(), self.secret());
        let (tag, expires) = (attempt_tag(&state), self.clock.now() + ATTEMPT_LIFETIME);
        let remembered = NewAttempt {
            state: digest(&state),
            browser: digest(&browser),
            nonce: nonce.clone(),
            return_path: return_path.to_owned(),
            expires,
        };
        let attempt = Attempt { verifier: verifier(&browser, &state), state: state.into(), nonce };
        let url = provider.authorization_url(&attempt).await?;
        self.store.begin_sign_in(remembered).await?;
        Ok(Departure { url, tag, secret: browser.into(), expires })
    }

    /// Completes a sign-in: `browser` is what the browser kept. Answers who is signed in now, and the path that the browser
    /// wanted to go to. Whatever comes of it, the attempt is used up.
    ///
    /// # Errors
    /// Whatever keeps the person from being signed in.
    pub async fn complete_sign_in(
        &self,
        returned: &Returned<'_>,
        browser: Option<&str>,
        visitor: &Visitor,
    ) -> Result<(SignedIn, String), IdentityError> {
        self.guesses.allow(Guess::SignIn, &visitor.origin).await?;
        let mut account = None;
        let completed = self.try_complete(returned, browser, visitor, &mut account).await;
        if let Err(error) = &completed
            && is_wrong_guess(error)
        {
            self.guesses.count(Guess::SignIn, &visitor.origin, account.as_ref(), error).await;
        }
        completed
    }

    /// Puts into `account` who comes, as soon as that is known.
    async fn try_complete(
        &self,
        returned: &Returned<'_>,
        browser: Option<&str>,
        visitor: &Visitor,
        account: &mut Option<GuessedAccount>,
    ) -> Result<(SignedIn, String), IdentityError> {
        let Mode::OpenId { provider, emails } = &self.mode else { return Err(IdentityError::NotThisWay) };
        let (state, browser) = (returned.state, browser.unwrap_or_default());
        let taken = self.store.take_sign_in(digest(state), digest(browser), self.clock.now()).await?;
        let taken = taken.ok_or(IdentityError::UnknownSignIn)?;
        if let Some(error) = returned.error {
            return Err(IdentityError::Declined(printable(error)));
        }
        let code = returned.code.ok_or(IdentityError::UnknownSignIn)?;
        let attempt = Attempt { state: state.into(), nonce: taken.nonce, verifier: verifier(browser, state) };
        let person = provider.redeem(&Answered { code, issuer: returned.issuer }, &attempt).await?;
        let newcomer = newcomer(person, *emails);
        // By what the provider vouches for, and not by the address: whoever claims somebody else's must not slow them.
        let known = GuessedAccount {
            subject: format!("{} {}", newcomer.issuer, newcomer.subject),
            name: newcomer.email.clone().unwrap_or_default(),
        };
        let known = account.insert(known);
        self.guesses.allow_account(known).await?;
        let user = match self.store.admit(&newcomer, &visitor.origin, self.clock.now()).await? {
            Admission::Admitted(user) => user,
            Admission::NoAddress => return Err(IdentityError::NoAddress),
            Admission::Unproven => return Err(IdentityError::UnprovenAddress),
            Admission::Taken => return Err(IdentityError::AddressTaken),
        };
        Ok((self.begin(user, Way::Oidc, visitor).await?, taken.return_path))
    }
}

/// Whether an attempt failed by what somebody sent, and not because something is away.
fn is_wrong_guess(error: &IdentityError) -> bool {
    match error {
        IdentityError::UnknownSignIn
        | IdentityError::Deactivated
        | IdentityError::NoAddress
        | IdentityError::UnprovenAddress
        | IdentityError::AddressTaken => true,
        IdentityError::Provider(error) => {
            !matches!(error.kind(), ErrorKind::Unavailable | ErrorKind::UpstreamTimeout | ErrorKind::Internal)
        }
        _ => false,
    }
}

/// The person in the words of the house. A name that is none gives way to the address.
fn newcomer(person: Person, emails: EmailTrust) -> Newcomer {
    let address = person.email.as_deref().and_then(|address| email("email", address).ok());
    let name = person.name.as_deref().and_then(|name| required_text("name", name, Text::Name).ok());
    let local_part = || address.as_deref().and_then(|address| address.split('@').next()).unwrap_or_default().to_owned();
    Newcomer {
        name: name.unwrap_or_else(local_part),
        email_verified: person.email_verified || emails == EmailTrust::Trusted,
        email: address,
        issuer: person.issuer,
        subject: person.subject,
    }
}

/// The provider's name for an error, as far as it can be one.
fn printable(error: &str) -> String {
    error.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.')).take(MOST_ERROR).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret;

    fn person(email: &str, email_verified: bool, name: Option<&str>) -> Person {
        let (issuer, subject) = ("https://id.example".to_owned(), "1".to_owned());
        Person { issuer, subject, email: Some(email.to_owned()), email_verified, name: name.map(str::to_owned) }
    }

    #[test]
    fn the_verifier_takes_both_secrets_and_has_the_form_of_the_standard() {
        let made = verifier("browser", "state");
        assert_eq!(made.expose_secret().len(), 43);
        for other in [verifier("browser", "other"), verifier("other", "state"), verifier("browsers", "tate")] {
            assert_ne!(made.expose_secret(), other.expose_secret());
        }
    }

    #[test]
    fn addresses_and_names_are_brought_into_shape() {
        let known = newcomer(person("Ada@Example.COM", true, Some(" Ada Lovelace ")), EmailTrust::Verified);
        assert_eq!(known.email.as_deref(), Some("ada@example.com"));
        assert_eq!((known.name.as_str(), known.email_verified), ("Ada Lovelace", true));
        let escaped = newcomer(person("ada@example.com", false, Some("\u{1b}[31m")), EmailTrust::Verified);
        assert_eq!((escaped.name.as_str(), escaped.email_verified), ("ada", false));
        assert_eq!(newcomer(person("not an address", true, None), EmailTrust::Verified).email, None);
        assert!(newcomer(person("ada@example.com", false, None), EmailTrust::Trusted).email_verified);
    }

    #[test]
    fn an_error_of_the_provider_says_nothing_that_looks_like_anything_else() {
        assert_eq!(printable("access_denied"), "access_denied");
        assert_eq!(printable("<script>\r\nSet-Cookie: a=b"), "scriptSet-Cookieab");
        assert_eq!(printable(&"x".repeat(1_000)).len(), MOST_ERROR);
    }
}
