//! From bytes to characters.

use encoding_rs::{Encoding, WINDOWS_1252};

/// Decodes by the mark at the beginning, then by `label` (a name as in HTML), then as UTF-8 if that is what it is, and
/// last as Windows-1252, which gives every byte a character.
pub(crate) fn decode(bytes: &[u8], label: Option<&str>) -> String {
    if let Some((encoding, mark)) = Encoding::for_bom(bytes) {
        return encoding.decode_without_bom_handling(bytes.get(mark..).unwrap_or_default()).0.into_owned();
    }
    if let Some(encoding) = label.and_then(|label| Encoding::for_label(label.as_bytes())) {
        return encoding.decode_without_bom_handling(bytes).0.into_owned();
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => WINDOWS_1252.decode_without_bom_handling(bytes).0.into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_come_before_labels_and_labels_before_guesses() {
        assert_eq!(decode(b"\xFF\xFE\xE4\0", Some("utf-8")), "ä");
        assert_eq!(decode(b"\xEF\xBB\xBF\xC3\xA4", None), "ä");
        assert_eq!(decode(b"\xE0\xA0", Some("windows-1251")), "а\u{a0}");
        assert_eq!(decode("ä".as_bytes(), None), "ä");
        assert_eq!(decode(b"\xE4 \x80", Some("no such encoding")), "ä €");
    }
}
