//! Where a text may be cut, from the best places to the last resort.

use std::ops::Range;

/// Levels of structure, the coarsest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Level {
    Paragraph,
    Line,
    Sentence,
    Word,
    Character,
}

impl Level {
    /// The next finer one; a character has none.
    pub(super) fn finer(self) -> Option<Self> {
        match self {
            Self::Paragraph => Some(Self::Line),
            Self::Line => Some(Self::Sentence),
            Self::Sentence => Some(Self::Word),
            Self::Word => Some(Self::Character),
            Self::Character => None,
        }
    }

    /// The pieces of `text` at this level: without gaps, each with the white space that follows it. `offset` is where
    /// `text` begins in the whole, and is added to the ranges (of bytes).
    pub(super) fn pieces(self, text: &str, offset: usize) -> Vec<Range<usize>> {
        let mut pieces = Vec::new();
        let mut start = 0;
        let mut characters = text.char_indices().peekable();
        let mut before = Before::default();
        while let Some((_, character)) = characters.next() {
            before.pass(character);
            let Some(&(at, next)) = characters.peek() else { break };
            if self.cuts(&before, next) {
                pieces.push(offset + start..offset + at);
                start = at;
            }
        }
        if start < text.len() {
            pieces.push(offset + start..offset + text.len());
        }
        pieces
    }

    fn cuts(self, before: &Before, next: char) -> bool {
        if self == Self::Character {
            return true;
        }
        if next.is_whitespace() {
            return false;
        }
        match self {
            Self::Paragraph => before.newlines >= 2,
            Self::Line => before.newlines >= 1,
            Self::Sentence => before.ends_sentence && (before.white || before.wide_stop),
            Self::Word => before.white || is_wide(next) || before.wide,
            Self::Character => true,
        }
    }
}

/// What has been read up to a place.
#[derive(Default)]
struct Before {
    /// Line ends in the white space directly before.
    newlines: usize,
    white: bool,
    /// The last character was one of a script that has no spaces.
    wide: bool,
    /// The last words, white space apart, end a sentence.
    ends_sentence: bool,
    /// The stop is one after which no space follows.
    wide_stop: bool,
}

impl Before {
    fn pass(&mut self, character: char) {
        if character.is_whitespace() {
            self.newlines = if self.white { self.newlines } else { 0 } + usize::from(character == '\n');
            self.white = true;
            self.wide = false;
            return;
        }
        self.white = false;
        self.newlines = 0;
        self.wide = is_wide(character);
        match character {
            '.' | '!' | '?' | '…' | '।' | '؟' => (self.ends_sentence, self.wide_stop) = (true, false),
            '。' | '！' | '？' => (self.ends_sentence, self.wide_stop) = (true, true),
            // A quotation mark or a parenthesis may close behind the stop.
            '"' | '\'' | ')' | ']' | '”' | '’' | '»' | '」' | '』' | '）' => {}
            _ => (self.ends_sentence, self.wide_stop) = (false, false),
        }
    }
}

/// Scripts that are written without spaces between words: Chinese, Japanese, and the languages of South-East Asia.
pub(super) fn is_wide(character: char) -> bool {
    matches!(u32::from(character),
        0x0E00..=0x0EFF | 0x1000..=0x109F | 0x1780..=0x17FF | 0x3040..=0x30FF | 0x3400..=0x4DBF | 0x4E00..=0x9FFF
        | 0xF900..=0xFAFF | 0x2_0000..=0x3_FFFF)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(level: Level, text: &str) -> Vec<&str> {
        level.pieces(text, 0).into_iter().map(|piece| &text[piece]).collect()
    }

    #[test]
    fn each_level_cuts_where_it_should() {
        assert_eq!(cut(Level::Paragraph, "a\nb\n\nc\n \n d"), ["a\nb\n\n", "c\n \n ", "d"]);
        assert_eq!(cut(Level::Line, "a\nb\n\nc"), ["a\n", "b\n\n", "c"]);
        assert_eq!(cut(Level::Sentence, "One. \"Two?\" Three 3.5 4"), ["One. ", "\"Two?\" ", "Three 3.5 4"]);
        assert_eq!(cut(Level::Sentence, "一。二！三"), ["一。", "二！", "三"]);
        assert_eq!(cut(Level::Word, "one  two 三四"), ["one  ", "two ", "三", "四"]);
        assert_eq!(cut(Level::Character, "äb "), ["ä", "b", " "]);
        assert!(cut(Level::Word, "").is_empty());
    }
}
