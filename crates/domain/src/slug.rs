/// The longest slug that a name makes, in bytes; a suffix that makes it unique comes on top.
const LONGEST: usize = 60;

/// Makes the part of a URL that a name stands for: lower-case letters, digits and single hyphens. Latin letters lose
/// their accents, everything else separates. A name of nothing but separators makes `app`.
#[must_use]
pub fn slugify(name: &str) -> String {
    let mut slug = String::with_capacity(name.len().min(LONGEST));
    for letter in name.chars().flat_map(char::to_lowercase) {
        let plain = plain_latin(letter);
        if plain.is_empty() {
            if !slug.is_empty() && !slug.ends_with('-') {
                slug.push('-');
            }
        } else {
            slug.push_str(plain.as_str());
        }
        if slug.len() >= LONGEST {
            break;
        }
    }
    slug.truncate(LONGEST);
    let slug = slug.trim_end_matches('-');
    // A slug of digits alone would be read as an app's number where a path takes either.
    match slug {
        "" => "app".to_owned(),
        digits if digits.bytes().all(|byte| byte.is_ascii_digit()) => format!("app-{digits}"),
        slug => slug.to_owned(),
    }
}

/// One letter as zero, one or two ASCII characters, without allocating.
struct Plain {
    bytes: [u8; 2],
    length: usize,
}

impl Plain {
    const fn is_empty(&self) -> bool {
        self.length == 0
    }

    fn as_str(&self) -> &str {
        self.bytes.get(..self.length).and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or_default()
    }
}

fn plain_latin(letter: char) -> Plain {
    let ascii = |text: &[u8]| {
        let mut plain = Plain { bytes: [0; 2], length: text.len().min(2) };
        for (slot, byte) in plain.bytes.iter_mut().zip(text) {
            *slot = *byte;
        }
        plain
    };
    match letter {
        'a'..='z' | '0'..='9' => ascii(&[u8::try_from(letter).unwrap_or(b'-')]),
        'à' | 'á' | 'â' | 'ã' | 'å' | 'ā' | 'ă' | 'ą' => ascii(b"a"),
        'ä' | 'æ' => ascii(b"ae"),
        'ç' | 'ć' | 'č' => ascii(b"c"),
        'ď' | 'đ' => ascii(b"d"),
        'è' | 'é' | 'ê' | 'ë' | 'ē' | 'ė' | 'ę' | 'ě' => ascii(b"e"),
        'ğ' => ascii(b"g"),
        'ì' | 'í' | 'î' | 'ï' | 'ī' | 'į' | 'ı' => ascii(b"i"),
        'ł' => ascii(b"l"),
        'ñ' | 'ń' | 'ň' => ascii(b"n"),
        'ò' | 'ó' | 'ô' | 'õ' | 'ø' | 'ō' | 'ő' => ascii(b"o"),
        'ö' | 'œ' => ascii(b"oe"),
        'ř' => ascii(b"r"),
        'ś' | 'š' | 'ş' | 'ș' => ascii(b"s"),
        'ß' => ascii(b"ss"),
        'ť' | 'ț' => ascii(b"t"),
        'ù' | 'ú' | 'û' | 'ū' | 'ů' | 'ű' => ascii(b"u"),
        'ü' => ascii(b"ue"),
        'ý' | 'ÿ' => ascii(b"y"),
        'ź' | 'ż' | 'ž' => ascii(b"z"),
        _ => ascii(b""),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reads_like_the_name() {
        assert_eq!(slugify("My Workspace"), "my-workspace");
        assert_eq!(slugify("  Año  Nuevo — Übersicht! "), "ano-nuevo-uebersicht");
        assert_eq!(slugify("日本"), "app");
        assert_eq!(slugify("2024"), "app-2024");
    }

    proptest! {
        #[test]
        fn is_always_a_slug(name in "\\PC{0,200}") {
            let slug = slugify(&name);
            prop_assert!(!slug.is_empty() && slug.len() <= LONGEST + 4);
            prop_assert!(slug.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'));
            prop_assert!(!slug.starts_with('-') && !slug.ends_with('-') && !slug.contains("--"));
            prop_assert!(slug.parse::<i64>().is_err());
        }
    }
}
