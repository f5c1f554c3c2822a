use std::fmt;
use std::sync::Arc;
use std::time::Duration as Wait;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, StatusCode};
use omni_domain::Clock;
use omni_egress::{Deadlines, Egress, Redirects, Request, Response};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use subtle::ConstantTimeEq;
use time::Duration;
use url::Url;
use url::form_urlencoded::{Serializer, byte_serialize};

use crate::authorization::{self, Attempt};
use crate::claims::{Expected, IdToken, Profile};
use crate::error::{Flaw, OidcError, Problem};
use crate::jwk::{self, KeySet};
use crate::jws::Unverified;
use crate::kept::{Age, Kept};
use crate::metadata::{self, ClientAuthentication, Metadata};

/// How long what the provider publishes is believed, and how often at most it is asked for something newer.
const AGE: Age = Age { most: Duration::hours(1), between: Duration::seconds(30) };
/// The most bytes of any answer of the provider.
const MOST_BYTES: u64 = 1 << 20;
/// Somebody sits at a browser and waits.
const DEADLINES: Deadlines =
    Deadlines { headers: Wait::from_secs(10), idle: Wait::from_secs(5), total: Wait::from_secs(15) };

/// Who Omni is to the provider.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The provider, spelled exactly as it names itself.
    pub issuer: String,
    /// The name that the provider gave to Omni.
    pub client_id: String,
    /// What proves it.
    pub client_secret: SecretString,
    /// Where the provider sends people back: registered there, letter by letter.
    pub redirect_uri: Url,
}

/// What the browser brings back from the provider.
#[derive(Clone)]
pub struct Answered<'a> {
    /// What the provider gives the ID token for.
    pub code: &'a str,
    /// Who answers, where the provider says so.
    pub issuer: Option<&'a str>,
}

impl fmt::Debug for Answered<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answered").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}

/// Whom the provider signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The provider.
    pub issuer: String,
    /// The person, for ever: what the provider calls them, and nobody else.
    pub subject: String,
    /// An address, as the provider spells it. It may change, and may have been somebody else's.
    pub email: Option<String>,
    /// Whether the provider says that the address is the person's.
    pub email_verified: bool,
    /// What others call them.
    pub name: Option<String>,
}

/// Omni's side of OpenID Connect with one provider.
pub struct RelyingParty {
    settings: Settings,
    egress: Egress,
    clock: Arc<dyn Clock>,
    metadata: Kept<Metadata>,
    keys: Kept<KeySet>,
}

impl fmt::Debug for RelyingParty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RelyingParty").field("settings", &self.settings).finish_non_exhaustive()
    }
}

#[derive(Deserialize)]
struct TokenAnswer {
    id_token: String,
    access_token: Option<String>,
}

#[derive(Deserialize)]
struct TokenRefusal {
    error: String,
}

#[derive(Deserialize)]
struct UserInfo {
    sub: String,
    #[serde(flatten)]
    profile: Profile,
}

impl RelyingParty {
    /// Asks nothing of the provider yet.
    #[must_use]
    pub fn new(settings: Settings, egress: Egress, clock: Arc<dyn Clock>) -> Self {
        Self { settings, egress, clock, metadata: Kept::default(), keys: Kept::default() }
    }

    /// Where a browser goes to sign in.
    ///
    /// # Errors
    /// If the provider has not said yet where that is and cannot be asked now.
    pub async fn authorization_url(&self, attempt: &Attempt) -> Result<Url, OidcError> {
        Ok(authorization::url(&self.settings, &*self.metadata().await?, attempt))
    }

    /// Exchanges what the browser brought back for the person behind it.
    ///
    /// # Errors
    /// [`OidcError::Refused`] for whatever is not to be believed, [`OidcError::CodeRefused`] for a code that the provider
    /// does not take, else if the provider is away or unsuitable.
    pub async fn redeem(&self, answered: &Answered<'_>, attempt: &Attempt) -> Result<Person, OidcError> {
        let metadata = self.metadata().await?;
        let is_ours = match answered.issuer {
            Some(issuer) => issuer == self.settings.issuer,
            None => !metadata.names_issuer,
        };
        if !is_ours {
            return Err(Flaw::Issuer.into());
        }
        let tokens = self.exchange(&metadata, answered.code, &attempt.verifier).await?;
        let token = self.verified(&metadata, &tokens.id_token, &attempt.nonce).await?;
        let profile = match (token.profile.email, &metadata.userinfo_endpoint, tokens.access_token) {
            (None, Some(endpoint), Some(access)) => self.user_info(endpoint, &access.into(), &token.sub).await?,
            (email, _, _) => Profile { email, ..token.profile },
        };
        Ok(Person {
            issuer: self.settings.issuer.clone(),
            subject: token.sub,
            email: profile.email,
            email_verified: profile.email_verified,
            name: profile.name,
        })
    }

    /// Where a browser goes to sign out of the provider too, and comes back to `afterwards`; none if the provider has no
    /// such place, or cannot be asked.
    pub async fn end_session_url(&self, afterwards: &Url) -> Option<Url> {
        let metadata = self.metadata().await.ok()?;
        let mut url = metadata.end_session_endpoint.clone()?;
        url.query_pairs_mut()
            .append_pair("client_id", &self.settings.client_id)
            .append_pair("post_logout_redirect_uri", afterwards.as_str());
        Some(url)
    }

    async fn metadata(&self) -> Result<Arc<Metadata>, OidcError> {
        let issuer = &self.settings.issuer;
        let fetch = async || {
            let document = self.fetch("discovery", Request::get(metadata::location(issuer)?)).await?;
            Metadata::check(document, issuer)
        };
        self.metadata.get(self.clock.now(), AGE, fetch).await
    }

    /// Reads an ID token, with the key that it names if the provider publishes it by now.
    async fn verified(&self, metadata: &Metadata, token: &str, nonce: &str) -> Result<IdToken, OidcError> {
        let unverified = Unverified::read(token, &metadata.algorithms)?;
        let now = self.clock.now();
        let fetch = async || {
            let document: jwk::Document = self.fetch("keys", Request::get(metadata.jwks_uri.clone())).await?;
            Ok(document.into())
        };
        let mut keys = self.keys.get(now, AGE, fetch).await?;
        if keys.find(unverified.kid.as_deref(), unverified.algorithm).is_none() {
            keys = self.keys.newer_than(&keys, now, AGE, fetch).await?;
        }
        let key = keys.find(unverified.kid.as_deref(), unverified.algorithm).ok_or(Flaw::Key)?;
        let payload = unverified.verified_by(key)?;
        let (issuer, client_id) = (&self.settings.issuer, &self.settings.client_id);
        Ok(IdToken::check(&payload, &Expected { issuer, client_id, nonce, now })?)
    }

    async fn exchange(
        &self,
        metadata: &Metadata,
        code: &str,
        verifier: &SecretString,
    ) -> Result<TokenAnswer, OidcError> {
        let Settings { client_id, client_secret, redirect_uri, .. } = &self.settings;
        let mut form = Serializer::new(String::new());
        form.append_pair("grant_type", "authorization_code")
            .append_pair("code", code)
            .append_pair("redirect_uri", redirect_uri.as_str())
            .append_pair("code_verifier", verifier.expose_secret());
        let mut request = Request::post(metadata.token_endpoint.clone());
        match metadata.client_authentication {
            ClientAuthentication::Basic => {
                let credentials = basic(client_id, client_secret);
                request =
                    request.secret_header(AUTHORIZATION, &credentials).map_err(|e| OidcError::egress("token", e))?;
            }
            ClientAuthentication::Post => {
                form.append_pair("client_id", client_id).append_pair("client_secret", client_secret.expose_secret());
            }
        }
        let request = request
            .header(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"))
            .body(form.finish());
        let answer = self.send("token", request).await?;
        match answer.status() {
            StatusCode::OK => read("token", answer).await,
            StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED => Err(refusal(&read("token", answer).await?)),
            status => Err(OidcError::answered("token", format!("it answered {status}"))),
        }
    }

    async fn user_info(&self, endpoint: &Url, access: &SecretString, subject: &str) -> Result<Profile, OidcError> {
        let request = Request::get(endpoint.clone()).bearer(access).map_err(|e| OidcError::egress("userinfo", e))?;
        let info: UserInfo = self.fetch("userinfo", request).await?;
        let is_same = bool::from(info.sub.as_bytes().ct_eq(subject.as_bytes()));
        if is_same { Ok(info.profile) } else { Err(Flaw::OtherPerson.into()) }
    }

    /// Sends a request that is answered with a JSON document.
    async fn fetch<T: DeserializeOwned>(&self, endpoint: &'static str, request: Request) -> Result<T, OidcError> {
        let answer = self.send(endpoint, request).await?;
        if answer.status() != StatusCode::OK {
            return Err(OidcError::answered(endpoint, format!("it answered {}", answer.status())));
        }
        read(endpoint, answer).await
    }

    async fn send(&self, endpoint: &'static str, request: Request) -> Result<Response, OidcError> {
        // None of these places moves, and a redirect would take secrets along.
        let request = request
            .header(ACCEPT, HeaderValue::from_static("application/json"))
            .deadlines(DEADLINES)
            .max_body(MOST_BYTES)
            .redirects(Redirects::Return);
        self.egress.send(request).await.map_err(|error| OidcError::egress(endpoint, error))
    }
}

async fn read<T: DeserializeOwned>(endpoint: &'static str, answer: Response) -> Result<T, OidcError> {
    answer.json().await.map_err(|error| OidcError::egress(endpoint, error))
}

/// What a token endpoint can say, by [RFC 6749](https://www.rfc-editor.org/rfc/rfc6749#section-5.2).
const REFUSALS: [&str; 6] = [
    "invalid_request",
    "invalid_client",
    "invalid_grant",
    "unauthorized_client",
    "unsupported_grant_type",
    "invalid_scope",
];

/// What it means that the token endpoint took the request and refused the code.
fn refusal(refusal: &TokenRefusal) -> OidcError {
    // Only names that are known go into the log: a provider's own text may quote what it was sent, which is secret.
    let problem = Problem(match REFUSALS.iter().find(|name| **name == refusal.error) {
        Some(name) => format!("the token endpoint says `{name}`"),
        None => "the token endpoint refuses by a name that OAuth 2.0 does not have".to_owned(),
    });
    match refusal.error.as_str() {
        "invalid_grant" => OidcError::CodeRefused { problem },
        _ => OidcError::Unsuitable { problem },
    }
}

/// The client's credentials as RFC 6749 wants them: encoded as in a form before they become one text.
fn basic(client_id: &str, secret: &SecretString) -> SecretString {
    let encoded = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
    let credentials = format!("{}:{}", encoded(client_id), encoded(secret.expose_secret()));
    format!("Basic {}", STANDARD.encode(credentials)).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_with_a_colon_stay_two() {
        let header = basic("omni:1", &"s e+c:ret".into());
        let decoded = STANDARD.decode(header.expose_secret().strip_prefix("Basic ").unwrap()).unwrap();
        assert_eq!(decoded, b"omni%3A1:s+e%2Bc%3Aret");
    }
}
