use std::fmt;
use std::str::FromStr;

use omni_domain::{Entropy, Invalid};
use serde::Serialize;

use crate::ServiceName;

/// The longest id that is taken from outside, in bytes.
const LONGEST_ID: usize = 128;
/// How much of a name an id repeats, so that a person can read it.
const LONGEST_LABEL: usize = 24;
/// How much of an id may be shown where it must not be usable.
const SHOWN: usize = 4;

/// The id of one incarnation of a service: `svc_discord_` and 128 random bits.
///
/// Whoever knows it may beat and deregister for the service, so it has no `Display`, and `Debug` shows its beginning only.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct ServiceId(String);

/// The id of one command: `cmd_` and 128 random bits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct CommandId(String);

/// The number of an incarnation. Every incarnation has a higher one than all before it in the same slot, so a resource
/// that remembers the highest it has seen can refuse a process that was replaced (see [`Fence`](crate::Fence)).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Generation(i64);

impl ServiceId {
    /// Makes a new one for a service of that name.
    #[must_use]
    pub fn generate(name: &ServiceName, entropy: &dyn Entropy) -> Self {
        let label: String = name
            .as_str()
            .chars()
            .take(LONGEST_LABEL)
            .map(|letter| if letter.is_ascii_alphanumeric() { letter.to_ascii_lowercase() } else { '-' })
            .collect();
        Self(format!("svc_{label}_{}", random_hex(entropy)))
    }

    /// Takes an id that a client sent or the database keeps.
    ///
    /// # Errors
    /// When it could not be an id at all. No service has it then: answer as for an unknown one.
    pub fn new(text: &str) -> Result<Self, Invalid> {
        opaque("serviceId", text).map(Self)
    }

    /// The whole id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl CommandId {
    /// Makes a new one.
    #[must_use]
    pub fn generate(entropy: &dyn Entropy) -> Self {
        Self(format!("cmd_{}", random_hex(entropy)))
    }

    /// Takes an id that a client sent or the database keeps.
    ///
    /// # Errors
    /// When it could not be an id at all.
    pub fn new(text: &str) -> Result<Self, Invalid> {
        opaque("commandId", text).map(Self)
    }

    /// The id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Generation {
    /// Takes a number that the one source of generations gave.
    #[must_use]
    pub const fn new(number: i64) -> Self {
        Self(number)
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }
}

fn opaque(field: &'static str, text: &str) -> Result<String, Invalid> {
    if (1..=LONGEST_ID).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(text.to_owned());
    }
    Err(Invalid::new(field, format!("must be 1 to {LONGEST_ID} visible characters of ASCII")))
}

fn random_hex(entropy: &dyn Entropy) -> String {
    let mut bytes = [0; 16];
    entropy.fill(&mut bytes);
    format!("{:032x}", u128::from_be_bytes(bytes))
}

impl fmt::Debug for ServiceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.0.rfind('_').map_or(0, |label| label + 1 + SHOWN);
        write!(f, "{}…", self.0.get(..shown).unwrap_or_default())
    }
}

impl fmt::Display for CommandId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Generation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for ServiceId {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::new(text)
    }
}

impl FromStr for CommandId {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::new(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Ones;

    impl Entropy for Ones {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(0x11);
        }
    }

    #[test]
    fn an_id_says_whose_it_is_and_keeps_its_secret() {
        let id = ServiceId::generate(&ServiceName::new("WhatsApp:baileys.2").unwrap(), &Ones);
        assert_eq!(id.as_str(), "svc_whatsapp-baileys-2_11111111111111111111111111111111");
        assert_eq!(format!("{id:?}"), "svc_whatsapp-baileys-2_1111…");
    }

    #[test]
    fn what_cannot_be_stored_is_no_id() {
        for text in ["", "a b", "a\0b", &"x".repeat(129)] {
            assert!(ServiceId::new(text).is_err() && CommandId::new(text).is_err(), "{text:?}");
        }
        let foreign = ServiceId::new("short").unwrap();
        assert_eq!(format!("{foreign:?}"), "…", "an id that is not of our making shows nothing");
    }
}
