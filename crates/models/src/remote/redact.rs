//! What a provider says, made fit to be shown: short, on one line, and without anything that looks like a key.

/// The most characters of a provider's message that are shown.
const LONGEST: usize = 300;
/// How long a run of letters and digits is at least, for it to be taken for a key.
const KEY_LENGTH: usize = 24;
/// How keys of known makers begin.
const KEY_STARTS: [&str; 8] = ["sk-", "sk_", "pk-", "key-", "AIza", "gsk_", "eyJ", "xai-"];
const HIDDEN: &str = "****";

/// `message` without `key`, which is the key that was sent, and without what looks like another.
pub(crate) fn redact(message: &str, key: Option<&str>) -> String {
    let message = match key.filter(|key| !key.is_empty()) {
        Some(key) => message.replace(key, HIDDEN),
        None => message.to_owned(),
    };
    let mut shown = String::with_capacity(message.len());
    for word in message.split_whitespace() {
        if shown.len() > LONGEST * 4 {
            break;
        }
        if !shown.is_empty() {
            shown.push(' ');
        }
        redact_word(word, &mut shown);
    }
    shorten(shown)
}

/// Copies a word piece by piece, where a piece is what a key could be: letters, digits, and the marks inside of keys.
fn redact_word(word: &str, shown: &mut String) {
    let mut rest = word;
    while let Some(first) = rest.chars().next() {
        let of_key = is_of_key(first);
        let end = rest.find(|letter| is_of_key(letter) != of_key).unwrap_or(rest.len());
        let (piece, after) = rest.split_at(end);
        match of_key && looks_like_key(piece) {
            true => shown.push_str(HIDDEN),
            false => shown.extend(piece.chars().filter(|letter| !letter.is_control())),
        }
        rest = after;
    }
}

const fn is_of_key(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '*')
}

fn looks_like_key(piece: &str) -> bool {
    if KEY_STARTS.iter().any(|start| piece.starts_with(start) && piece.len() > start.len() + 4) {
        return true;
    }
    // The names of models and the ids of requests are long too, but in short groups between hyphens.
    piece.split('-').any(|group| {
        group.len() >= KEY_LENGTH
            && group.bytes().any(|byte| byte.is_ascii_digit())
            && group.bytes().any(|byte| byte.is_ascii_alphabetic())
    })
}

fn shorten(text: String) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn keys_are_taken_out() {
        for (message, shown) in [
            ("Incorrect API key provided: sk-proj-abc123.", "Incorrect API key provided: ****."),
            ("bad key \"secret\"!", "bad key \"****\"!"),
            ("header Bearer eyJhbGciOiJIUzI1NiJ9.e30.x", "header Bearer ****.e30.x"),
            ("key=AIzaSyD-1234567890", "key=****"),
            ("hash 0123456789abcdef0123456789abcdef", "hash ****"),
            ("masked sk-ab**********yz", "masked ****"),
        ] {
            assert_eq!(redact(message, Some("secret")), shown);
        }
    }

    #[test]
    fn words_stay() {
        let message = "The model claude-sonnet-4-20250514 supports at most 200000 tokens; \
                       request 123e4567-e89b-12d3-a456-426614174000";
        assert_eq!(redact(message, None), message);
        assert_eq!(redact("line one\n\tline\u{7} two", Some("")), "line one line two");
    }

    #[test]
    fn long_messages_are_shortened() {
        let shown = redact(&"ü ".repeat(100_000), None);
        assert_eq!(shown.chars().count(), LONGEST + 1);
        assert!(shown.ends_with('…'));
    }

    proptest! {
        #[test]
        fn the_key_is_never_shown(before in ".{0,400}", key in "[a-zA-Z0-9_-]{8,60}", after in ".{0,400}") {
            let message = format!("{before}{key}{after}");
            prop_assert!(!redact(&message, Some(&key)).contains(&key));
        }
    }
}
