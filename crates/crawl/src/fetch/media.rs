//! What kind of document a body is.

use http::{HeaderMap, header::CONTENT_TYPE};
use mime::Mime;

/// What a body without a readable `Content-Type` is (RFC 9110, 8.3).
const UNKNOWN: &str = "application/octet-stream";
/// As much of a body as decides what it is, in bytes (the MIME Sniffing standard reads as many).
const SNIFFED: usize = 1_445;

/// A media type and its character set, both in lower case.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Media {
    pub(super) essence: String,
    pub(super) charset: Option<String>,
}

impl Media {
    /// What the headers say.
    pub(super) fn stated(headers: &HeaderMap) -> Self {
        let stated: Option<Mime> =
            headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).and_then(|text| text.parse().ok());
        let Some(stated) = stated else { return Self { essence: UNKNOWN.to_owned(), charset: None } };
        let charset = stated.get_param(mime::CHARSET).map(|charset| charset.as_str().to_ascii_lowercase());
        Self { essence: stated.essence_str().to_ascii_lowercase(), charset }
    }
}

/// The media type that the first bytes show, if it is not the one that was stated. A server that calls every file text
/// is common; what it sends would come out as noise.
pub(super) fn contradiction(stated: &str, body: &[u8]) -> Option<&'static str> {
    const PDF: &str = "application/pdf";
    let start = body.get(..SNIFFED).unwrap_or(body);
    let is_pdf = start.windows(5).any(|window| window == b"%PDF-");
    match (stated, is_pdf) {
        (PDF, true) => None,
        (PDF, false) => Some(UNKNOWN),
        (_, true) if start.starts_with(b"%PDF-") => Some(PDF),
        _ if is_text(stated) && is_binary(start) => Some(UNKNOWN),
        _ => None,
    }
}

fn is_text(essence: &str) -> bool {
    essence.starts_with("text/") || essence.ends_with("+xml")
}

/// Whether it holds a byte that no text does (MIME Sniffing, "binary data byte"). UTF-16 and UTF-32 are known by their
/// byte order mark.
fn is_binary(start: &[u8]) -> bool {
    let marked = [&b"\xfe\xff"[..], b"\xff\xfe", b"\x00\x00\xfe\xff"].iter().any(|mark| start.starts_with(mark));
    !marked && start.iter().any(|byte| matches!(byte, 0x00..=0x08 | 0x0b | 0x0e..=0x1a | 0x1c..=0x1f))
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue, header::CONTENT_TYPE};

    use super::{Media, contradiction};

    #[test]
    fn the_type_and_the_character_set_are_read_from_the_header() {
        for (header, essence, charset) in [
            (&b"text/html; charset=UTF-8"[..], "text/html", Some("utf-8")),
            (b"Text/HTML;charset=\"ISO-8859-1\"", "text/html", Some("iso-8859-1")),
            (b"application/pdf", "application/pdf", None),
            (b"html", "application/octet-stream", None),
            (b"", "application/octet-stream", None),
            (b"text/html; charset=\xff", "application/octet-stream", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_TYPE, HeaderValue::from_bytes(header).unwrap());
            let media = Media { essence: essence.to_owned(), charset: charset.map(str::to_owned) };
            assert_eq!(Media::stated(&headers), media, "{}", String::from_utf8_lossy(header));
        }
        assert_eq!(Media::stated(&HeaderMap::new()).essence, "application/octet-stream");
    }

    #[test]
    fn the_first_bytes_have_the_last_word() {
        for (stated, body, shown) in [
            ("text/html", &b"<html>"[..], None),
            ("text/html", b"", None),
            ("text/html", "größe\t\r\n\x1b[0m".as_bytes(), None),
            ("text/html", b"\xff\xfeh\x00i\x00", None),
            ("text/html", b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", Some("application/octet-stream")),
            ("text/plain", b"PK\x03\x04", Some("application/octet-stream")),
            ("text/html", b"%PDF-1.7\n", Some("application/pdf")),
            ("text/html", b"<p>A PDF begins with %PDF-1.7</p>", None),
            ("application/pdf", b"%PDF-1.7\n", None),
            ("application/pdf", b"\n\n%PDF-1.7\n", None),
            ("application/pdf", b"<html>", Some("application/octet-stream")),
            ("image/png", b"\x89PNG\r\n\x1a\n\x00", None),
        ] {
            assert_eq!(contradiction(stated, body), shown, "{stated} {}", String::from_utf8_lossy(body));
        }
    }
}
