//! The keys that a provider publishes (RFC 7517).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::Value;

use crate::jws::{Algorithm, PublicKey};

/// The keys of a provider that can sign ID tokens; the others are not kept.
#[derive(Debug, Clone, Default)]
pub(crate) struct KeySet(Vec<SigningKey>);

#[derive(Debug, Clone)]
struct SigningKey {
    kid: Option<String>,
    /// The one algorithm that the key is for, where the provider says so.
    algorithm: Option<String>,
    key: PublicKey,
}

/// The set as it is sent. A key of a kind that this crate does not know makes the others no worse.
#[derive(Debug, Deserialize)]
pub(crate) struct Document {
    keys: Vec<Value>,
}

#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: Option<String>,
    #[serde(rename = "use")]
    purpose: Option<String>,
    key_ops: Option<Vec<String>>,
    alg: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

impl From<Document> for KeySet {
    fn from(document: Document) -> Self {
        let keys = document.keys.into_iter().filter_map(|key| serde_json::from_value::<Jwk>(key).ok());
        Self(keys.filter_map(Jwk::signing_key).collect())
    }
}

impl KeySet {
    /// The key of this name that makes signatures of this algorithm. A token that names no key is believed only where
    /// there is no choice.
    pub(crate) fn find(&self, kid: Option<&str>, algorithm: Algorithm) -> Option<&PublicKey> {
        let mut fitting = self.0.iter().filter(|key| key.makes(algorithm));
        match kid {
            Some(kid) => fitting.find(|key| key.kid.as_deref() == Some(kid)),
            None => fitting.next().filter(|_| fitting.next().is_none()),
        }
        .map(|key| &key.key)
    }
}

impl SigningKey {
    fn makes(&self, algorithm: Algorithm) -> bool {
        let is_meant = self.algorithm.as_deref().is_none_or(|name| Algorithm::named(name) == Some(algorithm));
        is_meant && self.key.fits(algorithm)
    }
}

impl Jwk {
    fn signing_key(self) -> Option<SigningKey> {
        let is_for_signatures = self.purpose.as_deref().is_none_or(|purpose| purpose == "sig")
            && self.key_ops.as_ref().is_none_or(|operations| operations.iter().any(|it| it == "verify"));
        let key = if is_for_signatures { self.public_key()? } else { return None };
        Some(SigningKey { kid: self.kid, algorithm: self.alg, key })
    }

    fn public_key(&self) -> Option<PublicKey> {
        let bytes = |value: &Option<String>| URL_SAFE_NO_PAD.decode(value.as_deref()?).ok();
        Some(match (self.kty.as_str(), self.crv.as_deref()) {
            ("RSA", _) => PublicKey::Rsa { n: bytes(&self.n)?, e: bytes(&self.e)? },
            ("EC", Some("P-256")) => PublicKey::Ec([[4].as_slice(), &bytes(&self.x)?, &bytes(&self.y)?].concat()),
            ("OKP", Some("Ed25519")) => PublicKey::Ed(bytes(&self.x)?),
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn set(keys: &Value) -> KeySet {
        serde_json::from_value::<Document>(json!({ "keys": keys })).unwrap().into()
    }

    #[test]
    fn a_key_is_found_by_name_and_only_for_its_own_algorithm() {
        let keys = set(&json!([
            { "kty": "RSA", "kid": "a", "n": "AQAB", "e": "AQAB", "alg": "RS256" },
            { "kty": "EC", "kid": "b", "crv": "P-256", "x": "AQ", "y": "Ag" },
        ]));
        assert!(keys.find(Some("a"), Algorithm::Rs256).is_some());
        assert!(keys.find(Some("a"), Algorithm::Ps256).is_none(), "the key is for RS256 alone");
        assert!(keys.find(Some("a"), Algorithm::Es256).is_none());
        assert_eq!(keys.find(Some("b"), Algorithm::Es256), Some(&PublicKey::Ec(vec![4, 1, 2])));
        assert!(keys.find(Some("c"), Algorithm::Rs256).is_none());
        assert!(keys.find(None, Algorithm::Rs256).is_some(), "there is one that it can be");
    }

    #[test]
    fn without_a_name_two_keys_are_no_key() {
        let key = json!({ "kty": "OKP", "crv": "Ed25519", "x": "AQ" });
        assert!(set(&json!([key])).find(None, Algorithm::EdDsa).is_some());
        assert!(set(&json!([key, key])).find(None, Algorithm::EdDsa).is_none());
    }

    #[test]
    fn keys_that_sign_nothing_are_left_out_and_harm_nobody() {
        let keys = set(&json!([
            { "kty": "RSA", "kid": "a", "n": "AQAB", "e": "AQAB", "use": "enc" },
            { "kty": "RSA", "kid": "b", "n": "AQAB", "e": "AQAB", "key_ops": ["encrypt"] },
            { "kty": "oct", "kid": "c", "k": "c2VjcmV0" },
            { "kty": "EC", "kid": "d", "crv": "P-521", "x": "AQ", "y": "Ag" },
            { "kty": "RSA", "kid": "e", "n": "!", "e": "AQAB" },
            { "kid": 7 },
            "nonsense",
        ]));
        assert!(keys.0.is_empty());
    }
}
