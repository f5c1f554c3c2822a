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
