//! What was read out of a file.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::Format;

/// What stands between two sections in the whole text: an empty line.
pub const SEPARATOR: &str = "\n\n";

/// The text of a file, with what is known of its structure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extract {
    /// What it was read as.
    pub format: Format,
    /// The title that the file gives itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Who wrote it, as the file says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    /// The language of the text, as the file says (mostly a BCP 47 tag).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// The text, in reading order. No section is empty or only white space.
    pub sections: Vec<Section>,
    /// How many pages, slides or sheets there are, with text or without; `None` for formats without pages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pages: Option<u32>,
    /// Pages of a PDF that show no text, 1-based: blank, or pictures of text that need OCR.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pages_without_text: Vec<u32>,
    /// What a web page says of other pages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub web: Option<WebReferences>,
}

/// A piece of text that belongs together: what stands under one heading, on one page.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Section {
    /// The text, its own heading first where the file has headings.
    pub text: String,
    /// The page, slide or sheet, 1-based; `None` for formats without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<u32>,
    /// The path of headings down to this text, outermost first; for a spreadsheet the name of the sheet.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headings: Vec<String>,
}

/// The references of a web page, as they are written in it: not resolved, not checked.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebReferences {
    /// The `href` of every link, in order, each once.
    pub links: Vec<String>,
    /// The `href` of `<base>`, against which links are resolved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<String>,
    /// The `href` of `<link rel="canonical">`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub canonical: Option<String>,
}

/// The whole text of an [`Extract`], and where its sections are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WholeText {
    /// All sections, joined by [`SEPARATOR`].
    pub text: String,
    /// The range of each section in `text`, in characters (Unicode scalar values).
    pub sections: Vec<Range<usize>>,
}

impl Extract {
    /// An extract of nothing yet.
    #[must_use]
    pub fn new(format: Format) -> Self {
        Self {
            format,
            title: None,
            author: None,
            language: None,
            sections: Vec::new(),
            pages: None,
            pages_without_text: Vec::new(),
            web: None,
        }
    }

    /// The sections joined into one text.
    #[must_use]
    pub fn whole_text(&self) -> WholeText {
        let mut text = String::new();
        let mut sections = Vec::with_capacity(self.sections.len());
        let mut at = 0;
        for (n, section) in self.sections.iter().enumerate() {
            if n > 0 {
                text.push_str(SEPARATOR);
                at += SEPARATOR.chars().count();
            }
            let end = at + section.text.chars().count();
            text.push_str(&section.text);
            sections.push(at..end);
            at = end;
        }
        WholeText { text, sections }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_count_characters_and_leave_the_separators_out() {
        let mut extract = Extract::new(Format::Text);
        for text in ["über", "日本", "end"] {
            extract.sections.push(Section { text: text.to_owned(), ..Section::default() });
        }
        let whole = extract.whole_text();
        assert_eq!(whole.text, "über\n\n日本\n\nend");
        assert_eq!(whole.sections, [0..4, 6..8, 10..13]);
    }
}
