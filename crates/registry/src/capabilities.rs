use omni_domain::Invalid;
use serde::{Deserialize, Serialize};

/// The most entries of one kind.
const MOST_ENTRIES: usize = 64;
/// The longest entry, in bytes.
const LONGEST_ENTRY: usize = 128;

/// What a service can do: at most 64 entries of each kind, each 1 to 128 visible characters of ASCII, each once.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Unchecked", rename_all = "camelCase")]
pub struct Capabilities {
    channels: Vec<String>,
    media_types: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Unchecked {
    #[serde(default)]
    channels: Vec<String>,
    #[serde(default)]
    media_types: Vec<String>,
}

impl Capabilities {
    /// Checks what a service says it can do. Repeated entries count once.
    ///
    /// # Errors
    /// When there are too many entries, or one is empty, too long or not spelled in visible ASCII; the field is
    /// `capabilities.channels` or `capabilities.mediaTypes`.
    pub fn new(channels: Vec<String>, media_types: Vec<String>) -> Result<Self, Invalid> {
        Ok(Self {
            channels: entries("capabilities.channels", channels)?,
            media_types: entries("capabilities.mediaTypes", media_types)?,
        })
    }

    /// The channels that it serves.
    #[must_use]
    pub fn channels(&self) -> &[String] {
        &self.channels
    }

    /// The media types that it processes.
    #[must_use]
    pub fn media_types(&self) -> &[String] {
        &self.media_types
    }
}

fn entries(field: &'static str, given: Vec<String>) -> Result<Vec<String>, Invalid> {
    let mut entries: Vec<String> = Vec::with_capacity(given.len().min(MOST_ENTRIES));
    for entry in given {
        if !(1..=LONGEST_ENTRY).contains(&entry.len()) || !entry.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Invalid::new(field, format!("entries have 1 to {LONGEST_ENTRY} visible characters of ASCII")));
        }
        if entries.contains(&entry) {
            continue;
        }
        if entries.len() == MOST_ENTRIES {
            return Err(Invalid::new(field, format!("must have at most {MOST_ENTRIES} entries")));
        }
        entries.push(entry);
    }
    Ok(entries)
}

impl TryFrom<Unchecked> for Capabilities {
    type Error = Invalid;

    fn try_from(given: Unchecked) -> Result<Self, Self::Error> {
        Self::new(given.channels, given.media_types)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(count: usize) -> Vec<String> {
        (0..count).map(|number| format!("channel-{number}")).collect()
    }

    #[test]
    fn is_bounded_and_has_no_duplicates() {
        let twice = Capabilities::new([of(64), of(64)].concat(), Vec::new()).unwrap();
        assert_eq!(twice.channels().len(), 64);
        assert_eq!(Capabilities::new(of(65), Vec::new()).unwrap_err().field, "capabilities.channels");
        for entry in ["", "two words", "a\0b", &"x".repeat(129)] {
            let error = Capabilities::new(Vec::new(), vec![entry.to_owned()]).unwrap_err();
            assert_eq!(error.field, "capabilities.mediaTypes");
        }
    }

    #[test]
    fn comes_back_as_it_was_stored() {
        let known = Capabilities::new(vec!["discord".into()], vec!["image/png".into()]).unwrap();
        let stored = serde_json::to_value(&known).unwrap();
        assert_eq!(stored, serde_json::json!({"channels": ["discord"], "mediaTypes": ["image/png"]}));
        assert_eq!(serde_json::from_value::<Capabilities>(stored).unwrap(), known);
        assert!(serde_json::from_value::<Capabilities>(serde_json::json!({"channels": [""]})).is_err());
    }
}
