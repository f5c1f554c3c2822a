//! Cutting a text into pieces of a size that an embedding model takes.

mod boundaries;
mod packing;
mod rules;
mod tokens;

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::{Extract, Section};

pub use rules::ChunkRules;
pub use tokens::estimate_tokens;

/// A piece of the whole text of an [`Extract`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chunk {
    /// The text, without white space at its ends.
    pub text: String,
    /// Where it begins in the [whole text](Extract::whole_text), in characters.
    pub start: usize,
    /// Where it ends there, in characters; the character at `end` is not part of it.
    pub end: usize,
    /// The page that it is from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<u32>,
    /// The path of headings that all of it stands under.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headings: Vec<String>,
}

/// Cuts extracts into chunks.
///
/// A cut is made where the structure is: between sections, then paragraphs, lines, sentences, words, and inside of a word
/// only if it is longer than a chunk. A chunk never crosses a page. It crosses a heading only to join neighbours that are
/// tiny (less than a quarter of a chunk each). Where a section takes several chunks, each but the first repeats the end of
/// the one before, as far as the rules say.
///
/// Nothing is lost but white space, and the same extract always gives the same chunks.
#[derive(Debug, Clone, Copy, Default)]
pub struct Chunker {
    rules: ChunkRules,
}

impl Chunker {
    /// A chunker with these rules.
    #[must_use]
    pub fn new(rules: ChunkRules) -> Self {
        Self { rules }
    }

    /// The chunks of `extract`, in order. Their ranges are those of its [whole text](Extract::whole_text).
    #[must_use]
    pub fn chunks(&self, extract: &Extract) -> Vec<Chunk> {
        let whole = extract.whole_text();
        let mut ruler = Ruler::new(&whole.text);
        let mut chunks = Vec::new();
        for passage in self.passages(&extract.sections) {
            for bytes in packing::pack(&whole.text, passage.bytes.clone(), self.rules) {
                let Some(text) = whole.text.get(bytes.clone()) else { continue };
                let start = ruler.characters_before(bytes.start);
                chunks.push(Chunk {
                    text: text.to_owned(),
                    start,
                    end: start + text.chars().count(),
                    page: passage.page,
                    headings: passage.headings.to_vec(),
                });
            }
        }
        chunks
    }

    /// Sections that stand alone, and neighbours that are cut as if they were one.
    fn passages<'e>(&self, sections: &'e [Section]) -> Vec<Passage<'e>> {
        let mut passages: Vec<Passage<'e>> = Vec::new();
        let mut at = 0;
        for section in sections {
            let next = Passage {
                bytes: at..at + section.text.len(),
                page: section.page,
                headings: &section.headings,
                tokens: estimate_tokens(&section.text),
            };
            at = next.bytes.end + crate::SEPARATOR.len();
            match passages.last_mut() {
                Some(last) if last.may_take(&next, self.rules.max_tokens()) => last.take(&next),
                _ => passages.push(next),
            }
        }
        passages
    }
}

/// A stretch of the whole text that chunks do not cross.
struct Passage<'e> {
    bytes: Range<usize>,
    page: Option<u32>,
    headings: &'e [String],
    tokens: usize,
}

impl Passage<'_> {
    fn may_take(&self, next: &Self, max_tokens: usize) -> bool {
        let tiny = max_tokens / 4;
        self.page == next.page && (self.headings == next.headings || (self.tokens < tiny && next.tokens < tiny))
    }

    fn take(&mut self, next: &Self) {
        let shared = self.headings.iter().zip(next.headings).take_while(|(ours, theirs)| ours == theirs).count();
        self.headings = self.headings.get(..shared).unwrap_or_default();
        self.bytes.end = next.bytes.end;
        self.tokens += next.tokens;
    }
}

/// Turns byte offsets into character offsets, from left to right in one pass with short steps back for overlaps.
struct Ruler<'t> {
    text: &'t str,
    bytes: usize,
    characters: usize,
}

impl<'t> Ruler<'t> {
    fn new(text: &'t str) -> Self {
        Self { text, bytes: 0, characters: 0 }
    }

    /// `offset` is a boundary between characters of the text.
    fn characters_before(&mut self, offset: usize) -> usize {
        let count = |range: Range<usize>| self.text.get(range).map_or(0, |text| text.chars().count());
        self.characters = if offset >= self.bytes {
            self.characters + count(self.bytes..offset)
        } else {
            self.characters - count(offset..self.bytes)
        };
        self.bytes = offset;
        self.characters
    }
}
