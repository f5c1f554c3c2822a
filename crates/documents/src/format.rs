//! The formats that are read, and what they are called.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A format of foreign files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// Portable Document Format.
    Pdf,
    /// Word document (OOXML).
    Docx,
    /// PowerPoint presentation (OOXML).
    Pptx,
    /// Excel workbook (OOXML).
    Xlsx,
    /// OpenDocument text.
    Odt,
    /// Electronic book (EPUB 2 and 3).
    Epub,
    /// Web page.
    Html,
    /// Markdown.
    Markdown,
    /// Plain text.
    Text,
    /// Table of delimited values.
    Csv,
    /// JSON.
    Json,
    /// A message with its headers (RFC 5322).
    Email,
    /// Picture.
    Png,
    /// Picture.
    Jpeg,
    /// Picture.
    Tiff,
    /// Picture.
    Webp,
    /// Picture.
    Gif,
    /// Picture.
    Bmp,
}

/// One line of the table of formats.
struct Entry {
    format: Format,
    name: &'static str,
    /// With its article, as it stands in a sentence.
    title: &'static str,
    media_type: &'static str,
    /// The name that we would give such a file comes first.
    extensions: &'static [&'static str],
}

const fn entry(
    format: Format,
    name: &'static str,
    title: &'static str,
    media_type: &'static str,
    extensions: &'static [&'static str],
) -> Entry {
    Entry { format, name, title, media_type, extensions }
}

const TABLE: &[Entry] = &[
    entry(Format::Pdf, "pdf", "a PDF", "application/pdf", &["pdf"]),
    entry(
        Format::Docx,
        "docx",
        "a Word document (.docx)",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        &["docx", "docm", "dotx"],
    ),
    entry(
        Format::Pptx,
        "pptx",
        "a PowerPoint presentation (.pptx)",
        "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        &["pptx", "pptm", "ppsx"],
    ),
    entry(
        Format::Xlsx,
        "xlsx",
        "an Excel workbook (.xlsx)",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        &["xlsx", "xlsm", "xltx"],
    ),
    entry(
        Format::Odt,
        "odt",
        "an OpenDocument text (.odt)",
        "application/vnd.oasis.opendocument.text",
        &["odt", "ott"],
    ),
    entry(Format::Epub, "epub", "an EPUB book", "application/epub+zip", &["epub"]),
    entry(Format::Html, "html", "a web page", "text/html", &["html", "htm", "xhtml"]),
    entry(Format::Markdown, "markdown", "a Markdown file", "text/markdown", &["md", "markdown"]),
    entry(Format::Text, "text", "a text file", "text/plain", &["txt", "text", "log"]),
    entry(Format::Csv, "csv", "a CSV table", "text/csv", &["csv", "tsv"]),
    entry(Format::Json, "json", "a JSON file", "application/json", &["json"]),
    entry(Format::Email, "email", "an e-mail (.eml)", "message/rfc822", &["eml"]),
    entry(Format::Png, "png", "a PNG", "image/png", &["png"]),
    entry(Format::Jpeg, "jpeg", "a JPEG", "image/jpeg", &["jpg", "jpeg", "jpe"]),
    entry(Format::Tiff, "tiff", "a TIFF", "image/tiff", &["tiff", "tif"]),
    entry(Format::Webp, "webp", "a WebP", "image/webp", &["webp"]),
    entry(Format::Gif, "gif", "a GIF", "image/gif", &["gif"]),
    entry(Format::Bmp, "bmp", "a BMP", "image/bmp", &["bmp"]),
];

impl Format {
    /// All formats, in the order in which they are offered to people.
    pub fn all() -> impl Iterator<Item = Self> {
        TABLE.iter().map(|entry| entry.format)
    }

    /// Its name in requests, in the database and in configuration.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.entry().map_or("", |entry| entry.name)
    }

    /// Its name in a sentence, with the article.
    #[must_use]
    pub fn title(self) -> &'static str {
        self.entry().map_or("", |entry| entry.title)
    }

    /// Its media type.
    #[must_use]
    pub fn media_type(self) -> &'static str {
        self.entry().map_or("", |entry| entry.media_type)
    }

    /// How names of such files end, in lower case and without the dot; never empty.
    #[must_use]
    pub fn extensions(self) -> &'static [&'static str] {
        self.entry().map_or(&[], |entry| entry.extensions)
    }

    /// What the end of a file's name claims, in any case; `None` if it has no end that is known here.
    #[must_use]
    pub fn from_file_name(name: &str) -> Option<Self> {
        let (_, extension) = name.rsplit_once('.')?;
        let extension = extension.to_ascii_lowercase();
        TABLE.iter().find(|entry| entry.extensions.contains(&extension.as_str())).map(|entry| entry.format)
    }

    /// A picture: it has no text of its own, and takes [`Ocr`](crate::Ocr).
    #[must_use]
    pub fn is_image(self) -> bool {
        matches!(self, Self::Png | Self::Jpeg | Self::Tiff | Self::Webp | Self::Gif | Self::Bmp)
    }

    /// A container with the structure of a ZIP archive.
    #[must_use]
    pub(crate) fn is_zipped(self) -> bool {
        matches!(self, Self::Docx | Self::Pptx | Self::Xlsx | Self::Odt | Self::Epub)
    }

    /// Characters from beginning to end.
    #[must_use]
    pub(crate) fn is_textual(self) -> bool {
        matches!(self, Self::Html | Self::Markdown | Self::Text | Self::Csv | Self::Json | Self::Email)
    }

    fn entry(self) -> Option<&'static Entry> {
        TABLE.iter().find(|entry| entry.format == self)
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A name that is no format's; the message lists those that are.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name:?} is not a format that can be read; choose one of {}", names())]
pub struct UnknownFormat {
    /// The name as it was written.
    pub name: String,
}

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(name: &str) -> Result<Self, UnknownFormat> {
        let found = TABLE.iter().find(|entry| entry.name == name);
        found.map(|entry| entry.format).ok_or_else(|| UnknownFormat { name: name.chars().take(40).collect() })
    }
}

/// The names of all formats, for a sentence.
pub(crate) fn names() -> String {
    TABLE.iter().map(|entry| entry.name).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_format_is_in_the_table_once_and_can_be_named_and_parsed() {
        for format in Format::all() {
            assert_eq!(Format::all().filter(|other| *other == format).count(), 1);
            assert_eq!(format.name().parse(), Ok(format));
            assert_eq!(serde_json::to_value(format).unwrap(), format.name());
            for extension in format.extensions() {
                assert_eq!(Format::from_file_name(&format!("My File.{}", extension.to_uppercase())), Some(format));
            }
        }
    }

    #[test]
    fn names_that_claim_nothing_are_none() {
        for name in ["", "README", "archive.zip", "pdf", "a.pdf/", "a.pdf "] {
            assert_eq!(Format::from_file_name(name), None, "{name:?}");
        }
    }

    #[test]
    fn an_unknown_name_is_told_what_there_is() {
        let refusal = "wordperfect".parse::<Format>().unwrap_err().to_string();
        assert!(refusal.contains("\"wordperfect\"") && refusal.contains("docx"), "{refusal}");
    }
}
