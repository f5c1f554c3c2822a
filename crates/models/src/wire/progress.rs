use std::collections::VecDeque;

use crate::chat::{FinishReason, ModelEvent, Usage};

/// What was read of an answer: events to hand out, and what its end will say.
#[derive(Debug)]
pub(crate) struct Progress {
    events: VecDeque<ModelEvent>,
    usage: Option<Usage>,
    finish: Option<FinishReason>,
    done: bool,
    /// How many bytes of text may still come.
    room: usize,
    overflown: bool,
}

impl Progress {
    /// For an answer of at most so many bytes of text.
    pub(crate) const fn new(room: usize) -> Self {
        Self { events: VecDeque::new(), usage: None, finish: None, done: false, room, overflown: false }
    }

    pub(crate) fn token(&mut self, text: String) {
        self.text(text, ModelEvent::Token);
    }

    pub(crate) fn reasoning(&mut self, text: String) {
        self.text(text, ModelEvent::Reasoning);
    }

    fn text(&mut self, text: String, event: fn(String) -> ModelEvent) {
        match self.room.checked_sub(text.len()) {
            _ if text.is_empty() || self.overflown => {}
            Some(room) => {
                self.room = room;
                self.events.push_back(event(text));
            }
            None => self.overflown = true,
        }
    }

    /// The usage so far; the last one counts.
    pub(crate) fn usage(&mut self, input_tokens: u64, output_tokens: u64) {
        self.usage = Some(Usage { input_tokens, output_tokens, estimated: false });
    }

    /// The answer's text is complete; usage may still come.
    pub(crate) fn finish(&mut self, reason: FinishReason) {
        self.finish = Some(reason);
    }

    /// The provider's mark of the end.
    pub(crate) fn done(&mut self) {
        self.done = true;
    }

    /// Whether the answer's text is complete.
    pub(crate) const fn is_finished(&self) -> bool {
        self.finish.is_some()
    }

    /// Whether the mark of the end was read.
    pub(crate) const fn is_done(&self) -> bool {
        self.done
    }

    /// Whether the text was longer than permitted.
    pub(crate) const fn is_overflown(&self) -> bool {
        self.overflown
    }

    /// Whether there are events to hand out.
    pub(crate) fn has_events(&self) -> bool {
        !self.events.is_empty()
    }

    pub(crate) fn next(&mut self) -> Option<ModelEvent> {
        self.events.pop_front()
    }

    /// Adds what comes at the end.
    pub(crate) fn conclude(&mut self) {
        self.events.extend(self.usage.take().map(ModelEvent::Usage));
        let finish_reason = self.finish.take().unwrap_or(FinishReason::Stop);
        self.events.push_back(ModelEvent::End { finish_reason });
    }
}
