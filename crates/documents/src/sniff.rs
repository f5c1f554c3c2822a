//! What a file is, by its first bytes and then by its name.

use crate::{Flaw, Format};

/// How many of a file's first bytes decide about its format.
pub const SNIFFED_BYTES: usize = 64 * 1024;

/// The compound file of Office 97–2003, in which newer Office files with a password are wrapped too.
const COMPOUND_FILE: &[u8] = b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1";

/// Archives that are no document.
const ARCHIVES: &[&[u8]] =
    &[b"\x1F\x8B", b"7z\xBC\xAF\x27\x1C", b"Rar!\x1A\x07", b"BZh", b"\xFD7zXZ\0", b"\x28\xB5\x2F\xFD"];

impl Format {
    /// The format of a file that begins with `head` (the first [`SNIFFED_BYTES`], or all there is), and that its sender
    /// called `name`. The bytes decide; the name tells apart what looks alike (text, Markdown, CSV).
    ///
    /// # Errors
    /// [`Flaw::Mismatch`] and [`Flaw::Not`] if name and bytes contradict each other, [`Flaw::Unknown`] if neither says
    /// enough, [`Flaw::Empty`], [`Flaw::Archive`] and [`Flaw::OldOffice`] for what is never read.
    pub fn detect(head: &[u8], name: Option<&str>) -> Result<Self, Flaw> {
        Self::check(head, name.and_then(Self::from_file_name))
    }

    /// As [`detect`](Self::detect), with the claim made by other means than a name.
    ///
    /// # Errors
    /// As [`detect`](Self::detect).
    pub fn check(head: &[u8], claimed: Option<Self>) -> Result<Self, Flaw> {
        if head.is_empty() {
            return Err(Flaw::Empty);
        }
        if head.starts_with(COMPOUND_FILE) {
            return Err(Flaw::OldOffice);
        }
        if let Some(found) = by_signature(head) {
            return agree(found, claimed);
        }
        if head.starts_with(b"PK\x03\x04") || head.starts_with(b"PK\x05\x06") {
            return zipped(head, claimed);
        }
        if ARCHIVES.iter().any(|archive| head.starts_with(archive)) {
            return Err(Flaw::Archive);
        }
        match claimed {
            Some(claimed) if is_text(head) && claimed.is_textual() => Ok(claimed),
            Some(Self::Pdf) if is_preceded_pdf(head) => Ok(Self::Pdf),
            Some(claimed) => Err(Flaw::Not { claimed }),
            None if is_text(head) => Ok(by_first_words(head)),
            None => Err(Flaw::Unknown),
        }
    }
}

fn agree(found: Format, claimed: Option<Format>) -> Result<Format, Flaw> {
    match claimed {
        Some(claimed) if claimed != found => Err(Flaw::Mismatch { found, claimed }),
        _ => Ok(found),
    }
}

fn by_signature(head: &[u8]) -> Option<Format> {
    let marks: [(&[u8], Format); 7] = [
        (b"\x89PNG\r\n\x1A\n", Format::Png),
        (b"\xFF\xD8\xFF", Format::Jpeg),
        (b"II*\0", Format::Tiff),
        (b"MM\0*", Format::Tiff),
        (b"GIF87a", Format::Gif),
        (b"GIF89a", Format::Gif),
        (b"%PDF-", Format::Pdf),
    ];
    if let Some((_, format)) = marks.iter().find(|(mark, _)| head.starts_with(mark)) {
        return Some(*format);
    }
    if head.starts_with(b"RIFF") && head.get(8..12) == Some(b"WEBP") {
        return Some(Format::Webp);
    }
    // "BM" alone begins many a text; a bitmap has four reserved zeros and a known size of its second header.
    if head.starts_with(b"BM")
        && head.get(6..10) == Some(&[0; 4])
        && matches!(head.get(14), Some(12 | 40 | 52 | 56 | 108 | 124))
    {
        return Some(Format::Bmp);
    }
    None
}

/// Mail gateways and printer drivers put lines of their own before a PDF; its readers have always looked further down.
fn is_preceded_pdf(head: &[u8]) -> bool {
    contains(head.get(..1024).unwrap_or(head), b"%PDF-")
}

/// A container names its parts in the clear; which parts there are says what it holds.
fn zipped(head: &[u8], claimed: Option<Format>) -> Result<Format, Flaw> {
    let parts: [(&[u8], Format); 5] = [
        (b"mimetypeapplication/epub+zip", Format::Epub),
        (b"mimetypeapplication/vnd.oasis.opendocument.text", Format::Odt),
        (b"word/document", Format::Docx),
        (b"ppt/presentation", Format::Pptx),
        (b"xl/workbook", Format::Xlsx),
    ];
    if let Some((_, found)) = parts.iter().find(|(part, _)| contains(head, part)) {
        return agree(*found, claimed);
    }
    match claimed {
        // The telling part may lie behind the head; the reader will miss it if it does not exist.
        Some(claimed) if claimed.is_zipped() => Ok(claimed),
        _ => Err(Flaw::Archive),
    }
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}

/// Text in an encoding that is read here: marked UTF-16, or bytes without the controls that no text has.
fn is_text(head: &[u8]) -> bool {
    if head.starts_with(b"\xFF\xFE") || head.starts_with(b"\xFE\xFF") {
        return true;
    }
    !head.iter().any(|byte| matches!(byte, 0..=8 | 14..=26 | 28..=31 | 127))
}

fn by_first_words(head: &[u8]) -> Format {
    let begin = head.trim_ascii_start();
    if looks_like_html(begin) {
        Format::Html
    } else if matches!(begin.first(), Some(b'{' | b'[')) {
        Format::Json
    } else {
        Format::Text
    }
}

fn looks_like_html(head: &[u8]) -> bool {
    let begin: Vec<u8> = head.trim_ascii_start().iter().take(15).map(u8::to_ascii_lowercase).collect();
    begin.starts_with(b"<!doctype html") || begin.starts_with(b"<html")
}

#[cfg(test)]
mod tests {
    use super::*;

    const PNG: &[u8] = b"\x89PNG\r\n\x1A\n\0\0\0\rIHDR";

    #[test]
    fn bytes_decide_and_a_name_may_not_contradict_them() {
        assert_eq!(Format::detect(PNG, Some("a.png")), Ok(Format::Png));
        assert_eq!(Format::detect(PNG, None), Ok(Format::Png));
        let lie = Format::detect(PNG, Some("report.pdf")).unwrap_err();
        assert_eq!(lie.to_string(), "this is a PNG, not a PDF");
        let lie = Format::detect(b"plain words", Some("report.pdf")).unwrap_err();
        assert_eq!(lie.to_string(), "this is not a PDF");
    }

    #[test]
    fn names_tell_texts_apart() {
        for (name, format) in [
            (Some("a.md"), Format::Markdown),
            (Some("a.csv"), Format::Csv),
            (Some("a.eml"), Format::Email),
            (Some("a.html"), Format::Html),
            (Some("unknown.xyz"), Format::Text),
            (None, Format::Text),
        ] {
            assert_eq!(Format::detect(b"From: somebody\n\n# Title", name), Ok(format), "{name:?}");
        }
        assert_eq!(Format::detect(b" <!DOCTYPE HTML><p>", None), Ok(Format::Html));
        assert_eq!(Format::detect(b"{\"a\": 1}", None), Ok(Format::Json));
    }

    #[test]
    fn what_is_never_read_is_named() {
        assert_eq!(Format::detect(b"", Some("a.pdf")), Err(Flaw::Empty));
        assert_eq!(Format::detect(COMPOUND_FILE, Some("a.doc")), Err(Flaw::OldOffice));
        assert_eq!(Format::detect(b"\x1F\x8B\x08", Some("a.tgz")), Err(Flaw::Archive));
        assert_eq!(Format::detect(b"PK\x03\x04something.txt", None), Err(Flaw::Archive));
        assert_eq!(Format::detect(b"\0\x01\x02\x03", Some("a.txt")), Err(Flaw::Not { claimed: Format::Text }));
        assert_eq!(Format::detect(b"\0\x01\x02\x03", None), Err(Flaw::Unknown));
    }

    #[test]
    fn a_text_about_pdfs_is_a_text() {
        assert_eq!(Format::detect(b"a PDF begins with %PDF-1.7", Some("a.txt")), Ok(Format::Text));
        assert_eq!(Format::detect(b"@PJL\n%PDF-1.7", Some("a.pdf")), Ok(Format::Pdf));
        assert_eq!(Format::detect(b"<html><p>A PDF begins with %PDF-1.7", None), Ok(Format::Html));
        assert_eq!(Format::detect(b"BMW is a car maker", None), Ok(Format::Text));
    }
}
