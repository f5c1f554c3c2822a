use std::fmt;
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};
use thiserror::Error;

/// The name of a blob: the SHA-256 of its bytes. It is written as 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlobHash([u8; 32]);

/// A text that is not the hash of a blob.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the hash of a file is 64 lower-case hexadecimal digits")]
pub struct NotABlobHash;

impl BlobHash {
    /// The hash that these bytes are, as a database may store it.
    #[must_use]
    pub const fn new(hash: [u8; 32]) -> Self {
        Self(hash)
    }

    /// The hash of what is in `content`.
    #[must_use]
    pub fn of(content: &[u8]) -> Self {
        Self(Sha256::digest(content).into())
    }

    /// The 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl From<Sha256> for BlobHash {
    fn from(hasher: Sha256) -> Self {
        Self(hasher.finalize().into())
    }
}

impl fmt::Display for BlobHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for BlobHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for BlobHash {
    type Err = NotABlobHash;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits: &[u8; 64] = text.as_bytes().try_into().map_err(|_| NotABlobHash)?;
        let (pairs, _) = digits.as_chunks::<2>();
        let mut hash = [0; 32];
        for (byte, [high, low]) in hash.iter_mut().zip(pairs) {
            *byte = digit(*high)? << 4 | digit(*low)?;
        }
        Ok(Self(hash))
    }
}

/// A hash has one spelling, so capital letters are none.
fn digit(digit: u8) -> Result<u8, NotABlobHash> {
    match digit {
        b'0'..=b'9' => Ok(digit - b'0'),
        b'a'..=b'f' => Ok(digit - b'a' + 10),
        _ => Err(NotABlobHash),
    }
}

impl Serialize for BlobHash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for BlobHash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The example of FIPS 180-2, appendix B.1.
    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn is_the_sha_256_of_the_standard() {
        assert_eq!(BlobHash::of(b"abc").to_string(), ABC);
        assert_eq!(ABC.parse(), Ok(BlobHash::of(b"abc")));
        assert_eq!(serde_json::to_string(&BlobHash::of(b"abc")).unwrap(), format!("\"{ABC}\""));
        assert_eq!(serde_json::from_str::<BlobHash>(&format!("\"{ABC}\"")).unwrap(), BlobHash::of(b"abc"));
    }

    #[test]
    fn has_one_spelling() {
        let other =
            ["", "../../etc/passwd", &ABC[1..], &format!("{ABC}0"), &ABC.to_uppercase(), &ABC.replace('b', "g")];
        for text in other {
            assert_eq!(text.parse::<BlobHash>(), Err(NotABlobHash), "{text}");
        }
    }

    proptest! {
        #[test]
        fn survives_its_own_text(bytes: [u8; 32]) {
            let hash = BlobHash::new(bytes);
            prop_assert_eq!(hash.to_string().parse(), Ok(hash));
        }

        #[test]
        fn takes_any_text_without_falling_over(text in "\\PC{0,70}") {
            if let Ok(hash) = text.parse::<BlobHash>() {
                prop_assert_eq!(hash.to_string(), text);
            }
        }
    }
}
