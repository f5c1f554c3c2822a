//! Cutting a body into frames, wherever its chunks break.

use std::ops::Range;

/// How frames are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Framing {
    /// Server-sent events; a frame is the data of an event.
    Events,
    /// A frame is a line.
    Lines,
}

/// A buffer that bytes go into and whole frames come out of.
#[derive(Debug)]
pub(crate) struct Frames {
    framing: Framing,
    buffer: Vec<u8>,
    /// Where the first line begins that is not used yet.
    line: usize,
    /// Up to where that line was searched for its end.
    searched: usize,
    /// The data so far of the event that this line is of.
    data: Option<Range<usize>>,
}

impl Frames {
    pub(crate) const fn new(framing: Framing) -> Self {
        Self { framing, buffer: Vec::new(), line: 0, searched: 0, data: None }
    }

    /// Takes more bytes.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        let used = self.data.as_ref().map_or(self.line, |data| data.start);
        if used > 0 {
            self.buffer.drain(..used);
            self.line -= used;
            self.searched -= used;
            self.data = self.data.take().map(|data| data.start - used..data.end - used);
        }
        self.buffer.extend_from_slice(bytes);
    }

    /// Takes what is left as if it were complete: not every server ends its last line.
    pub(crate) fn finish(&mut self) {
        self.push(b"\n\n");
    }

    /// The next whole frame; never empty.
    pub(crate) fn next(&mut self) -> Option<&[u8]> {
        let frame = match self.framing {
            Framing::Lines => self.next_line_with_text()?,
            Framing::Events => self.next_event()?,
        };
        self.buffer.get(frame)
    }

    fn next_line_with_text(&mut self) -> Option<Range<usize>> {
        loop {
            let line = self.next_line()?;
            if !line.is_empty() {
                return Some(line);
            }
        }
    }

    fn next_event(&mut self) -> Option<Range<usize>> {
        loop {
            let line = self.next_line()?;
            if line.is_empty() {
                if let Some(data) = self.data.take().filter(|data| !data.is_empty()) {
                    return Some(data);
                }
            } else if let Some(more) = self.data_of(&line) {
                self.data = Some(match self.data.take() {
                    None => more,
                    Some(data) => self.join(data, more),
                });
            }
        }
    }

    /// The next whole line without its end.
    fn next_line(&mut self) -> Option<Range<usize>> {
        let Some(length) = self.buffer.get(self.searched..)?.iter().position(|&byte| byte == b'\n') else {
            self.searched = self.buffer.len();
            return None;
        };
        let start = self.line;
        let end = self.searched + length;
        self.line = end + 1;
        self.searched = self.line;
        let carriage_return = self.buffer.get(start..end).is_some_and(|line| line.ends_with(b"\r"));
        Some(start..end - usize::from(carriage_return))
    }

    /// Where the value of a `data` line is. Every other field says nothing that is not in the data too.
    fn data_of(&self, line: &Range<usize>) -> Option<Range<usize>> {
        let value = self.buffer.get(line.clone())?.strip_prefix(b"data:")?;
        let value = value.strip_prefix(b" ").unwrap_or(value);
        Some(line.end - value.len()..line.end)
    }

    /// Moves a further line of data behind the data before it, with a line break between: there is room for that, since
    /// the field's name stood there.
    fn join(&mut self, data: Range<usize>, more: Range<usize>) -> Range<usize> {
        let end = data.end + 1 + more.len();
        if let Some(line_break) = self.buffer.get_mut(data.end) {
            *line_break = b'\n';
        }
        self.buffer.copy_within(more, data.end + 1);
        data.start..end
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn frames_of(framing: Framing, chunks: &[&[u8]]) -> Vec<String> {
        let mut frames = Frames::new(framing);
        let mut found = Vec::new();
        for chunk in chunks {
            frames.push(chunk);
            while let Some(frame) = frames.next() {
                found.push(String::from_utf8_lossy(frame).into_owned());
            }
        }
        frames.finish();
        while let Some(frame) = frames.next() {
            found.push(String::from_utf8_lossy(frame).into_owned());
        }
        found
    }

    const EVENTS: &str = ": hello\n\ndata: one\n\nevent: x\r\ndata: two\r\nid: 7\r\n\r\ndata:three\n\n\n\ndata: \n\n\
                          data: four\nretry: 1\ndata:  five\ndata: six\n\ndata: end";

    #[test]
    fn events_are_cut() {
        let expected = ["one", "two", "three", "four\n five\nsix", "end"];
        assert_eq!(frames_of(Framing::Events, &[EVENTS.as_bytes()]), expected);
    }

    #[test]
    fn lines_are_cut() {
        assert_eq!(frames_of(Framing::Lines, &[b"{1}\n\r\n{2}\r\n", b"{", b"3}"]), ["{1}", "{2}", "{3}"]);
        assert_eq!(frames_of(Framing::Lines, &[]), Vec::<String>::new());
    }

    #[test]
    fn what_was_used_is_let_go() {
        let mut frames = Frames::new(Framing::Events);
        for _ in 0..10_000 {
            frames.push(b"data: 0123456789\n\nda");
            assert!(frames.next().is_some());
            assert!(frames.next().is_none());
            frames.push(b"ta: x\n\n");
            assert_eq!(frames.next(), Some(&b"x"[..]));
            assert!(frames.buffer.len() < 64);
        }
    }

    proptest! {
        #[test]
        fn breaks_between_chunks_do_not_matter(mut cuts in prop::collection::vec(0..EVENTS.len(), 0..20)) {
            cuts.sort_unstable();
            let mut chunks = Vec::new();
            let mut rest = EVENTS.as_bytes();
            for cut in cuts.into_iter().rev() {
                let (before, after) = rest.split_at(cut.min(rest.len()));
                chunks.insert(0, after);
                rest = before;
            }
            chunks.insert(0, rest);
            prop_assert_eq!(frames_of(Framing::Events, &chunks), frames_of(Framing::Events, &[EVENTS.as_bytes()]));
        }

        #[test]
        fn nothing_panics(chunks in prop::collection::vec("(data: ?|\r|\n|[a-z:]){0,8}", 0..12)) {
            let chunks: Vec<&[u8]> = chunks.iter().map(String::as_bytes).collect();
            let whole = chunks.concat();
            prop_assert_eq!(frames_of(Framing::Events, &chunks), frames_of(Framing::Events, &[&whole]));
        }
    }
}
