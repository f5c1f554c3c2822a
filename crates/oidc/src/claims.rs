//! What an ID token says, and whether it says it to us, now, about this sign-in (OpenID Connect Core, 3.1.3.7).

use omni_domain::Timestamp;
use serde::{Deserialize, Deserializer};
use subtle::ConstantTimeEq;
use time::Duration;

use crate::error::Flaw;

/// How far two machines' clocks may be apart.
const LEEWAY: Duration = Duration::seconds(60);
/// The longest that the standard allows a subject to be.
const MOST_SUBJECT_BYTES: usize = 255;

/// What is expected of a token.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Expected<'a> {
    pub(crate) issuer: &'a str,
    pub(crate) client_id: &'a str,
    pub(crate) nonce: &'a str,
    pub(crate) now: Timestamp,
}

/// The claims that are looked at.
#[derive(Debug, Deserialize)]
pub(crate) struct IdToken {
    iss: String,
    #[serde(default)]
    pub(crate) sub: String,
    aud: Audience,
    azp: Option<String>,
    exp: i64,
    nbf: Option<i64>,
    iat: i64,
    nonce: Option<String>,
    #[serde(flatten)]
    pub(crate) profile: Profile,
}

/// What a provider says of a person, in the ID token or at the user information endpoint.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Profile {
    pub(crate) email: Option<String>,
    #[serde(default, deserialize_with = "yes")]
    pub(crate) email_verified: bool,
    pub(crate) name: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

impl IdToken {
    /// Reads the claims of a token whose signature is known to be right, and checks them.
    pub(crate) fn check(payload: &[u8], expected: &Expected<'_>) -> Result<Self, Flaw> {
        let token: Self = serde_json::from_slice(payload).map_err(|_| Flaw::Malformed)?;
        if token.iss != expected.issuer {
            return Err(Flaw::Issuer);
        }
        token.check_audience(expected.client_id)?;
        token.check_times(expected.now)?;
        let nonce = token.nonce.as_deref().unwrap_or_default();
        if !bool::from(nonce.as_bytes().ct_eq(expected.nonce.as_bytes())) {
            return Err(Flaw::Nonce);
        }
        let sub = &token.sub;
        if sub.trim().is_empty() || sub.len() > MOST_SUBJECT_BYTES || sub.contains(char::is_control) {
            return Err(Flaw::Subject);
        }
        Ok(token)
    }

    fn check_audience(&self, client_id: &str) -> Result<(), Flaw> {
        let audiences = match &self.aud {
            Audience::One(one) => std::slice::from_ref(one),
            Audience::Many(many) => many.as_slice(),
        };
        if !audiences.iter().any(|audience| audience == client_id) {
            return Err(Flaw::Audience);
        }
        // A token for several parties has to say which of them it was given to.
        let is_ours = self.azp.as_deref().map_or(audiences.len() == 1, |party| party == client_id);
        if is_ours { Ok(()) } else { Err(Flaw::AuthorizedParty) }
    }

    fn check_times(&self, now: Timestamp) -> Result<(), Flaw> {
        let (latest, earliest) = ((now + LEEWAY).unix_timestamp(), (now - LEEWAY).unix_timestamp());
        if self.exp <= earliest {
            return Err(Flaw::Expired);
        }
        if self.nbf.is_some_and(|start| start > latest) || self.iat > latest {
            return Err(Flaw::NotYet);
        }
        Ok(())
    }
}

/// `true`, or the word that some providers write instead; whatever else it may be, it is no yes.
fn yes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    let value = serde_json::Value::deserialize(deserializer)?;
    Ok(value == true || value == "true")
}
