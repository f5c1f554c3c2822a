use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

/// A secret that is to be seen nowhere, in no spelling.
#[derive(Debug)]
pub(crate) struct Canary {
    name: &'static str,
    spellings: Vec<String>,
}

impl Canary {
    pub(crate) fn new(name: &'static str, secret: &str) -> Self {
        assert!(secret.len() >= 16, "{name} is too short to be told from chance");
        let bytes = secret.as_bytes();
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        // Without the brackets, so that a longer list is found, too.
        let list = bytes.iter().map(u8::to_string).collect::<Vec<_>>().join(", ");
        let mut spellings = vec![secret.to_owned(), hex.to_ascii_uppercase(), hex, list];
        spellings.extend((0..3).flat_map(|before| base64(bytes, before)));
        Self { name, spellings }
    }

    /// Sees that it is not there.
    #[track_caller]
    pub(crate) fn assert_absent(&self, place: &str, text: &str) {
        for spelling in &self.spellings {
            if let Some(at) = text.find(spelling) {
                let around: String = text[..at].chars().rev().take(300).collect::<Vec<_>>().into_iter().rev().collect();
                panic!("{place} tells the {}, after: {around}", self.name);
            }
        }
    }
}

/// What base64 makes of a secret that follows so many other bytes: the part that no neighbour changes.
fn base64(secret: &[u8], before: usize) -> [String; 2] {
    let text = [&vec![0; before], secret].concat();
    let [from, to] = [(before * 8).div_ceil(6), text.len() * 8 / 6];
    [STANDARD_NO_PAD.encode(&text), URL_SAFE_NO_PAD.encode(&text)].map(|encoded| encoded[from..to].to_owned())
}

#[test]
fn a_secret_is_found_in_every_spelling() {
    let canary = Canary::new("secret", "c4n4ry-0123456789");
    for text in [
        "a c4n4ry-0123456789 b".to_owned(),
        STANDARD_NO_PAD.encode("omni:c4n4ry-0123456789"),
        STANDARD_NO_PAD.encode("omni+:c4n4ry-0123456789, and more"),
        STANDARD_NO_PAD.encode("omni++:c4n4ry-0123456789"),
        format!("{:?}", "xc4n4ry-0123456789x".as_bytes()),
        "63346e3472792d30313233343536373839".to_owned(),
    ] {
        let found = std::panic::catch_unwind(|| canary.assert_absent("a text", &text));
        assert!(found.is_err(), "{text}");
    }
    canary.assert_absent("a text", "c4n4ry-012345678");
}
