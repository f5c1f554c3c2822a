//! Collecting what readers find into sections.

use crate::{Extract, Flaw, Format, Section};

/// Characters of a heading that are repeated in the path of what stands under it.
const LONGEST_HEADING: usize = 200;

/// Builds an [`Extract`] from headings, blocks and lines in reading order.
///
/// It bounds the text, paths of headings included, and leaves out control characters, which no text needs and which some
/// databases refuse.
pub(crate) struct Outline {
    extract: Extract,
    /// The headings above the current place, with their levels, which grow from each to the next.
    path: Vec<(u8, String)>,
    section: Section,
    bytes: usize,
    limit: usize,
}

impl Outline {
    pub(crate) fn new(format: Format, limit: usize) -> Self {
        Self { extract: Extract::new(format), path: Vec::new(), section: Section::default(), bytes: 0, limit }
    }

    /// Title, author and other things that are not text.
    pub(crate) fn facts(&mut self) -> &mut Extract {
        &mut self.extract
    }

    pub(crate) fn has_text(&self) -> bool {
        !self.section.text.is_empty() || !self.extract.sections.is_empty()
    }

    /// Whether the current section has no text yet.
    pub(crate) fn section_is_empty(&self) -> bool {
        self.section.text.is_empty()
    }

    /// The first heading of all.
    pub(crate) fn first_heading(&self) -> Option<String> {
        let closed = self.extract.sections.iter().find_map(|section| section.headings.first());
        closed.or(self.path.first().map(|(_, heading)| heading)).cloned()
    }

    /// Begins a section under a heading of this level; 1 is the outermost.
    pub(crate) fn heading(&mut self, level: u8, text: &str) -> Result<(), Flaw> {
        self.label(level, text);
        self.spend(self.path.iter().map(|(_, heading)| heading.len()).sum())?;
        self.block(text)
    }

    /// Begins a section under a heading that is not itself part of the text.
    pub(crate) fn label(&mut self, level: u8, text: &str) {
        self.close();
        self.path.retain(|(above, _)| *above < level);
        let heading: String = clean(text).split_whitespace().collect::<Vec<_>>().join(" ");
        if !heading.is_empty() {
            self.path.push((level, heading.chars().take(LONGEST_HEADING).collect()));
        }
    }

    /// Begins a page; its headings start anew.
    pub(crate) fn page(&mut self, number: u32) {
        self.close();
        self.path.clear();
        self.section.page = Some(number);
    }

    /// A paragraph: an empty line is put before it.
    pub(crate) fn block(&mut self, text: &str) -> Result<(), Flaw> {
        self.push(text, "\n\n")
    }

    /// A line of a list or a table: it follows directly.
    pub(crate) fn line(&mut self, text: &str) -> Result<(), Flaw> {
        self.push(text, "\n")
    }

    /// All that was collected.
    pub(crate) fn finish(mut self) -> Extract {
        self.close();
        let extract = &mut self.extract;
        for fact in [&mut extract.title, &mut extract.author, &mut extract.language] {
            *fact = fact.take().map(|text| shorten(&text)).filter(|text| !text.is_empty());
        }
        self.extract
    }

    fn push(&mut self, text: &str, separator: &str) -> Result<(), Flaw> {
        let text = clean(text);
        let text = text.trim_matches('\n').trim_end();
        if text.trim().is_empty() {
            return Ok(());
        }
        self.spend(text.len() + separator.len())?;
        if !self.section.text.is_empty() {
            self.section.text.push_str(separator);
        }
        self.section.text.push_str(text);
        Ok(())
    }

    fn spend(&mut self, bytes: usize) -> Result<(), Flaw> {
        self.bytes = self.bytes.saturating_add(bytes);
        if self.bytes > self.limit { Err(Flaw::TooMuchText { limit: self.limit }) } else { Ok(()) }
    }

    fn close(&mut self) {
        let text = std::mem::take(&mut self.section.text);
        if !text.is_empty() {
            let headings = self.path.iter().map(|(_, heading)| heading.clone()).collect();
            self.extract.sections.push(Section { text, page: self.section.page, headings });
        }
    }
}

fn clean(text: &str) -> String {
    text.replace("\r\n", "\n")
        .replace('\r', "\n")
        .chars()
        .filter(|character| !character.is_control() || matches!(character, '\n' | '\t'))
        .filter(|character| *character != '\u{FEFF}')
        .collect()
}

fn shorten(text: &str) -> String {
    let words = clean(text).split_whitespace().collect::<Vec<_>>().join(" ");
    words.chars().take(LONGEST_HEADING).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_follow_the_levels_and_pages_begin_anew() {
        let mut outline = Outline::new(Format::Html, 1000);
        outline.block("before").unwrap();
        outline.heading(1, "One").unwrap();
        outline.heading(3, "Deep").unwrap();
        outline.block("text").unwrap();
        outline.line("line\0").unwrap();
        outline.heading(2, "Two").unwrap();
        outline.page(7);
        outline.block("alone").unwrap();
        let sections = outline.finish().sections;
        let shown: Vec<_> = sections.iter().map(|s| (s.text.as_str(), s.headings.join("/"), s.page)).collect();
        assert_eq!(
            shown,
            [
                ("before", String::new(), None),
                ("One", "One".to_owned(), None),
                ("Deep\n\ntext\nline", "One/Deep".to_owned(), None),
                ("Two", "One/Two".to_owned(), None),
                ("alone", String::new(), Some(7)),
            ]
        );
    }

    #[test]
    fn text_and_repeated_headings_are_bounded() {
        let mut outline = Outline::new(Format::Html, 1000);
        assert_eq!(outline.block(&"x".repeat(1000)), Err(Flaw::TooMuchText { limit: 1000 }));
        let mut outline = Outline::new(Format::Html, 1000);
        outline.heading(1, &"h".repeat(150)).unwrap();
        assert!((0..7).any(|n| outline.heading(2, &n.to_string()).is_err()));
    }
}
