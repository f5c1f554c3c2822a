//! Filling chunks with the pieces of a text.

use std::ops::Range;

use super::boundaries::Level;
use super::{ChunkRules, estimate_tokens};

/// The ranges (of bytes, in `whole`) of the chunks that cover `passage`, trimmed, the overlaps included.
pub(super) fn pack(whole: &str, passage: Range<usize>, rules: ChunkRules) -> Vec<Range<usize>> {
    let mut packer = Packer { whole, rules, full: Vec::new(), open: None };
    packer.add_pieces(passage.clone(), Level::Paragraph);
    packer.full.extend(packer.open.take().map(|piece| piece.bytes));
    let cores: Vec<_> = packer.full.into_iter().map(|core| trim(whole, core)).filter(|core| !core.is_empty()).collect();
    let mut before = passage.start;
    let mut chunks = Vec::with_capacity(cores.len());
    for (n, core) in cores.iter().enumerate() {
        let start = if n == 0 { core.start } else { overlap(whole, before..core.start, rules.overlap_tokens()) };
        chunks.push(start..core.end);
        // The overlap reaches back into the core before this one at most.
        before = core.start;
    }
    chunks
}

struct Packer<'t> {
    whole: &'t str,
    rules: ChunkRules,
    full: Vec<Range<usize>>,
    /// The chunk that is being filled.
    open: Option<Piece>,
}

struct Piece {
    bytes: Range<usize>,
    tokens: usize,
}

impl Packer<'_> {
    fn add_pieces(&mut self, range: Range<usize>, level: Level) {
        for bytes in level.pieces(text_of(self.whole, &range), range.start) {
            let tokens = estimate_tokens(text_of(self.whole, &bytes));
            self.add(Piece { bytes, tokens }, level);
        }
    }

    fn add(&mut self, piece: Piece, level: Level) {
        if let Some(open) = &mut self.open {
            let fits = open.tokens + piece.tokens <= room(self.rules, self.full.is_empty());
            if fits {
                open.bytes.end = piece.bytes.end;
                open.tokens += piece.tokens;
                return;
            }
        }
        // A piece that would fit into a chunk of its own starts one. One that does not is taken apart, and what comes
        // first of it still goes into the open chunk.
        match level.finer() {
            Some(finer) if piece.tokens > self.rules.max_tokens() - self.rules.overlap_tokens() => {
                self.add_pieces(piece.bytes, finer);
            }
            _ => self.full.extend(self.open.replace(piece).map(|open| open.bytes)),
        }
    }
}

/// Tokens of new text that a chunk takes: all but the first leave room for what they repeat.
fn room(rules: ChunkRules, first: bool) -> usize {
    if first { rules.max_tokens() } else { rules.max_tokens() - rules.overlap_tokens() }
}

/// Where a chunk has to start to repeat at most `tokens` of `before`, in whole words.
fn overlap(whole: &str, before: Range<usize>, tokens: usize) -> usize {
    // No token is estimated to be longer than this many bytes of text, white space aside.
    const LONGEST_TOKEN: usize = 16;
    let end = before.end;
    let from = end.saturating_sub(tokens.saturating_mul(LONGEST_TOKEN)).max(before.start);
    let from = (from..=end).find(|at| whole.is_char_boundary(*at)).unwrap_or(end);
    let mut pieces = Level::Word.pieces(text_of(whole, &(from..end)), from);
    if from > before.start && !pieces.is_empty() {
        // The first one may be the rest of a word.
        pieces.remove(0);
    }
    let mut start = end;
    let mut taken = 0;
    for word in pieces.into_iter().rev() {
        taken += estimate_tokens(text_of(whole, &word));
        if taken > tokens {
            break;
        }
        start = word.start;
    }
    start
}

fn trim(whole: &str, range: Range<usize>) -> Range<usize> {
    let text = text_of(whole, &range);
    let start = range.start + (text.len() - text.trim_start().len());
    start..start + text.trim().len()
}

fn text_of<'t>(whole: &'t str, range: &Range<usize>) -> &'t str {
    whole.get(range.clone()).unwrap_or_default()
}
