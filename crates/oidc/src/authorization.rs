use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use url::Url;

use crate::client::Settings;
use crate::metadata::Metadata;

/// What ties the provider's answer to one attempt to sign in. All three are unpredictable and used once; whoever begins
/// the attempt keeps them.
#[derive(Debug, Clone)]
pub struct Attempt {
    /// Comes back with the browser.
    pub state: SecretString,
    /// Comes back inside the ID token. The provider and the browser see it.
    pub nonce: String,
    /// Proves to the provider that whoever redeems the code began the attempt: 43 to 128 characters of base64url.
    pub verifier: SecretString,
}

/// What is asked about the person.
const SCOPE: &str = "openid profile email";

/// Where the browser goes to sign in.
pub(crate) fn url(settings: &Settings, metadata: &Metadata, attempt: &Attempt) -> Url {
    let mut url = metadata.authorization_endpoint.clone();
    url.query_pairs_mut()
        .append_pair("response_type", "code")
        .append_pair("client_id", &settings.client_id)
        .append_pair("redirect_uri", settings.redirect_uri.as_str())
        .append_pair("scope", SCOPE)
        .append_pair("state", attempt.state.expose_secret())
        .append_pair("nonce", &attempt.nonce)
        .append_pair("code_challenge", &challenge(&attempt.verifier))
        .append_pair("code_challenge_method", "S256");
    url
}

fn challenge(verifier: &SecretString) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.expose_secret()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_challenge_is_that_of_the_standard() {
        // RFC 7636, appendix B.
        let verifier = SecretString::from("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
        assert_eq!(challenge(&verifier), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }
}
