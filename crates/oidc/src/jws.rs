//! Signed tokens in their compact form (RFC 7515), as far as ID tokens need them.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{self, VerificationAlgorithm};
use serde::Deserialize;

use crate::error::Flaw;

/// What an ID token may be signed with. There is no variant for `none` and none for a shared secret: what cannot be named
/// cannot be accepted by mistake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Algorithm {
    Rs256,
    Ps256,
    Es256,
    EdDsa,
}

impl Algorithm {
    /// The algorithm of this name (RFC 7518), if it is one that is believed.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "RS256" => Self::Rs256,
            "PS256" => Self::Ps256,
            "ES256" => Self::Es256,
            "EdDSA" => Self::EdDsa,
            _ => return None,
        })
    }
}

/// A token taken apart, and not believed yet.
#[derive(Debug)]
pub(crate) struct Unverified<'a> {
    pub(crate) algorithm: Algorithm,
    pub(crate) kid: Option<String>,
    signed: &'a [u8],
    payload: Vec<u8>,
    signature: Vec<u8>,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    typ: Option<String>,
    /// Extensions that must be understood; none is.
    crit: Option<serde_json::Value>,
}

/// No provider's token is longer; a longer one is not worth the work.
const MOST_BYTES: usize = 64 * 1024;

impl<'a> Unverified<'a> {
    /// Takes a token apart whose algorithm is one of `accepted`.
    pub(crate) fn read(token: &'a str, accepted: &[Algorithm]) -> Result<Self, Flaw> {
        if token.len() > MOST_BYTES {
            return Err(Flaw::Malformed);
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(Flaw::Malformed)?;
        let (header, payload) = signed.split_once('.').ok_or(Flaw::Malformed)?;
        let header: Header = serde_json::from_slice(&decode(header)?).map_err(|_| Flaw::Malformed)?;
        let is_id_token = header.typ.is_none_or(|typ| typ.eq_ignore_ascii_case("JWT"));
        if !is_id_token || header.crit.is_some() {
            return Err(Flaw::Malformed);
        }
        let algorithm = Algorithm::named(&header.alg).filter(|it| accepted.contains(it)).ok_or(Flaw::Algorithm)?;
        Ok(Self {
            algorithm,
            kid: header.kid,
            signed: signed.as_bytes(),
            payload: decode(payload)?,
            signature: decode(signature)?,
        })
    }

    /// What the token says, if this key signed it.
    pub(crate) fn verified_by(self, key: &PublicKey) -> Result<Vec<u8>, Flaw> {
        key.verify(self.algorithm, self.signed, &self.signature)?;
        Ok(self.payload)
    }
}

fn decode(part: &str) -> Result<Vec<u8>, Flaw> {
    URL_SAFE_NO_PAD.decode(part).map_err(|_| Flaw::Malformed)
}

/// A key that signatures are checked with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PublicKey {
    Rsa {
        n: Vec<u8>,
        e: Vec<u8>,
    },
    /// On P-256: the uncompressed point.
    Ec(Vec<u8>),
    /// On Ed25519.
    Ed(Vec<u8>),
}

impl PublicKey {
    /// Whether signatures of this algorithm are made with keys of this type.
    pub(crate) const fn fits(&self, algorithm: Algorithm) -> bool {
        matches!(
            (self, algorithm),
            (Self::Rsa { .. }, Algorithm::Rs256 | Algorithm::Ps256)
                | (Self::Ec(_), Algorithm::Es256)
                | (Self::Ed(_), Algorithm::EdDsa)
        )
    }

    fn verify(&self, algorithm: Algorithm, signed: &[u8], signature: &[u8]) -> Result<(), Flaw> {
        let by_point = |algorithm: &'static dyn VerificationAlgorithm, point: &[u8]| {
            signature::UnparsedPublicKey::new(algorithm, point).verify(signed, signature)
        };
        let by_modulus = |padding: &'static signature::RsaParameters, n: &[u8], e: &[u8]| {
            signature::RsaPublicKeyComponents { n, e }.verify(padding, signed, signature)
        };
        match (self, algorithm) {
            // Keys of fewer than 2048 bits are refused by these two.
            (Self::Rsa { n, e }, Algorithm::Rs256) => by_modulus(&signature::RSA_PKCS1_2048_8192_SHA256, n, e),
            (Self::Rsa { n, e }, Algorithm::Ps256) => by_modulus(&signature::RSA_PSS_2048_8192_SHA256, n, e),
            (Self::Ec(point), Algorithm::Es256) => by_point(&signature::ECDSA_P256_SHA256_FIXED, point),
            (Self::Ed(point), Algorithm::EdDsa) => by_point(&signature::ED25519, point),
            _ => return Err(Flaw::Key),
        }
        .map_err(|_| Flaw::Signature)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::jwk::{Document, KeySet};

    /// What a token says by the one key that there is.
    fn read(token: &str, key: &Value, algorithm: Algorithm) -> Result<Vec<u8>, Flaw> {
        let keys: KeySet = serde_json::from_value::<Document>(json!({ "keys": [key] })).unwrap().into();
        let token = Unverified::read(token, &[algorithm])?;
        token.verified_by(keys.find(None, algorithm).ok_or(Flaw::Key)?)
    }

    /// It is believed as it is, and with any one character of its signature changed it is not.
    fn is_checked(token: &str, key: &Value, algorithm: Algorithm, says: &[u8]) {
        assert_eq!(read(token, key, algorithm).unwrap(), says);
        let signature = token.rfind('.').unwrap() + 1;
        for at in [signature, signature + 20, signature + 40] {
            let other = if token.as_bytes()[at] == b'A' { "B" } else { "A" };
            let forged = [&token[..at], other, &token[at + 1..]].concat();
            assert!(matches!(read(&forged, key, algorithm), Err(Flaw::Signature)), "character {at}");
        }
    }

    /// RFC 7515, appendix A.3.
    #[test]
    fn es256() {
        let key = json!({
            "kty": "EC",
            "crv": "P-256",
            "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
            "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
        });
        let token = "eyJhbGciOiJFUzI1NiJ9.\
            eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.\
            DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
        let says = b"{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n \"http://example.com/is_root\":true}";
        is_checked(token, &key, Algorithm::Es256, says);
    }

    /// RFC 8037, appendix A.4.
    #[test]
    fn eddsa() {
        let key = json!({ "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" });
        let token = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.\
            hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
        is_checked(token, &key, Algorithm::EdDsa, b"Example of Ed25519 signing");
    }

    /// Made with OpenSSL, whose key was then thrown away.
    #[test]
    fn ps256() {
        let modulus = "zDPPCdWEidgGYDMWK8rDuAvbfv0H9ht3vafaFDKEGRfRwhJ_mNZvLGX5g1oqDn-dJBeEY6aPdIPPggNWzQXE46qs3eAhtv0O\
            FchGAtPY9GZvH8WqhqgytV6CV_tGuGWptwGlZiEKyFFz0AZ-9GwNAWU-0W95KnhaZ8kqfmPfj4_Ma3wff1WrVBauFP85Httu\
            ipWvMZdU7S0LTTLdPAZJPAM03Vl7GiOLG1yPJmsYSpOH4gUqQVwPtP6t6dq3RWtwx9M0FlMAHgSnjOWJsYcpMIky7mF0SSQm\
            FnZTyhd2nJ36Hj-CM13YD1trPPPdrk6lKbJ3wNJVCa3tG2CVyBj6zw";
        let token = "eyJhbGciOiJQUzI1NiJ9.eyJpc3MiOiJqb2UifQ.\
            Yi-tLjThFEUnXjVYJ2WyeHiJe8LSwNK00sqsz6Wilyb3lfw_fXnKftU8ENJ5UlqyJBNqyrccii7UUlt_KGw-X5oTqAAcNlDz\
            JTN5E9tKUixifBdyOs9QJV_1D8Nv0zjJk-G6HwKv4ij3-IY9uR7Z9G6CE_HQhHXj6DcGG5EF-rvM8xiHQTxfkNK8GIXzml9A\
            FE0HbkchBQznk-iSndop1e61Uc6kH2twMlpN-W0fHG2vyyn86jLhxXn9ZdapwaitJULIJI_R9IGshA0bx0wXRmRoFnuE2XJt\
            ecuHHEra1DSjIGElpU5Mz8StUOVT8CdSnaffkgTPePAGe7xNoNjlaQ";
        let key = json!({ "kty": "RSA", "n": modulus, "e": "AQAB" });
        is_checked(token, &key, Algorithm::Ps256, b"{\"iss\":\"joe\"}");
        assert!(matches!(read(token, &key, Algorithm::Rs256), Err(Flaw::Algorithm)));
    }
}
