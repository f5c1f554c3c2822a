use std::fmt;

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Key, Nonce};
use omni_domain::{AppId, Entropy};
use secrecy::{ExposeSecret, SecretString};

use crate::SealingError;

/// The version of the format, which the first byte of every sealed value carries.
const VERSION: u8 = 1;
const NONCE: usize = 12;

/// What a check value says once it is open, and where it belongs. That it opens is all that counts.
const CHECK: &str = "the master key of this installation";
const CHECK_PLACE: Place = Place { column: "installation.key_check", app: AppId::new(0), row: 0 };

/// What seals secrets.
#[derive(Clone)]
pub struct MasterKey {
    cipher: Aes256Gcm,
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey(…)")
    }
}

/// Where a secret belongs: which column of which row of which app. It opens nowhere else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The table and column, such as `ai_services.api_key`.
    pub column: &'static str,
    /// The app that the row belongs to.
    pub app: AppId,
    /// The row's number.
    pub row: i64,
}

impl Place {
    /// The place in bytes. The column has no zero byte and the numbers are of fixed length, so two places never meet.
    fn to_bytes(self) -> Vec<u8> {
        let mut bytes = self.column.as_bytes().to_vec();
        bytes.push(0);
        bytes.extend(self.app.get().to_be_bytes());
        bytes.extend(self.row.to_be_bytes());
        bytes
    }
}

impl MasterKey {
    /// Takes 32 unpredictable bytes.
    #[must_use]
    pub fn new(bytes: &[u8; 32]) -> Self {
        Self { cipher: Aes256Gcm::new(Key::<Aes256Gcm>::from_slice(bytes)) }
    }

    /// Seals a secret for a place: the version, a random nonce of 96 bits, the ciphertext and its tag.
    ///
    /// # Errors
    /// [`SealingError::Refused`], for secrets of absurd length.
    pub fn seal(&self, secret: &SecretString, place: Place, entropy: &dyn Entropy) -> Result<Vec<u8>, SealingError> {
        let mut nonce = [0; NONCE];
        entropy.fill(&mut nonce);
        let payload = Payload { msg: secret.expose_secret().as_bytes(), aad: &place.to_bytes() };
        let ciphertext = self.cipher.encrypt(Nonce::from_slice(&nonce), payload).map_err(|_| SealingError::Refused)?;
        Ok([&[VERSION], nonce.as_slice(), &ciphertext].concat())
    }

    /// Opens what was sealed for this place.
    ///
    /// # Errors
    /// [`SealingError::DoesNotOpen`] if the key, the place or a single bit differs.
    pub fn open(&self, sealed: &[u8], place: Place) -> Result<SecretString, SealingError> {
        let (&version, rest) = sealed.split_first().ok_or(SealingError::DoesNotOpen)?;
        let (nonce, ciphertext) = rest.split_at_checked(NONCE).ok_or(SealingError::DoesNotOpen)?;
        if version != VERSION {
            return Err(SealingError::DoesNotOpen);
        }
        let payload = Payload { msg: ciphertext, aad: &place.to_bytes() };
        let secret = self.cipher.decrypt(Nonce::from_slice(nonce), payload).map_err(|_| SealingError::DoesNotOpen)?;
        String::from_utf8(secret).map(SecretString::from).map_err(|_| SealingError::DoesNotOpen)
    }

    /// A value that this key can be told by, to be kept beside what it seals. It tells nothing else of the key.
    ///
    /// # Errors
    /// [`SealingError::Refused`], which does not happen with a text so short.
    pub fn check_value(&self, entropy: &dyn Entropy) -> Result<Vec<u8>, SealingError> {
        self.seal(&SecretString::from(CHECK), CHECK_PLACE, entropy)
    }

    /// Whether this is the key that a check value was made with.
    #[must_use]
    pub fn made(&self, check_value: &[u8]) -> bool {
        self.open(check_value, CHECK_PLACE).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU8, Ordering};

    use proptest::prelude::*;

    use super::*;

    /// Counts, so that no two nonces are the same.
    struct Counting(AtomicU8);

    impl Entropy for Counting {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill_with(|| self.0.fetch_add(1, Ordering::Relaxed));
        }
    }

    fn place(app: i64, row: i64) -> Place {
        Place { column: "ai_services.api_key", app: AppId::new(app), row }
    }

    proptest! {
        #[test]
        fn opens_where_it_was_sealed_and_nowhere_else(secret in "\\PC{0,200}", flipped in any::<prop::sample::Index>()) {
            let key = MasterKey::new(&[7; 32]);
            let sealed = key.seal(&SecretString::from(secret.as_str()), place(1, 2), &Counting(AtomicU8::new(0))).unwrap();
            let opened = key.open(&sealed, place(1, 2)).unwrap();
            prop_assert_eq!(opened.expose_secret(), secret.as_str());
            prop_assert!(key.open(&sealed, place(1, 3)).is_err());
            prop_assert!(key.open(&sealed, place(2, 2)).is_err());
            prop_assert!(MasterKey::new(&[8; 32]).open(&sealed, place(1, 2)).is_err());
            let mut changed = sealed.clone();
            changed[flipped.index(sealed.len())] ^= 1;
            prop_assert!(key.open(&changed, place(1, 2)).is_err());
            prop_assert!(key.open(&sealed[..flipped.index(sealed.len())], place(1, 2)).is_err());
        }
    }

    #[test]
    fn a_key_is_told_by_its_check_value() {
        let (key, entropy) = (MasterKey::new(&[7; 32]), Counting(AtomicU8::new(0)));
        let check = key.check_value(&entropy).unwrap();
        assert!(key.made(&check) && !key.made(b"") && !MasterKey::new(&[8; 32]).made(&check));
        let secret = key.seal(&SecretString::from(CHECK), place(0, 0), &entropy).unwrap();
        assert!(!key.made(&secret), "no secret passes for a check value");
    }

    #[test]
    fn the_same_secret_never_looks_the_same() {
        let (key, entropy) = (MasterKey::new(&[7; 32]), Counting(AtomicU8::new(0)));
        let secret = SecretString::from("sk-123");
        let first = key.seal(&secret, place(1, 1), &entropy).unwrap();
        assert_ne!(first, key.seal(&secret, place(1, 1), &entropy).unwrap());
        assert!(!format!("{key:?}").contains('7'));
    }
}
