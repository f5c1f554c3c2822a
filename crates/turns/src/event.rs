use bytes::{BufMut, BytesMut};
use omni_domain::{AgentId, Citation, ConversationId, MessageId, TurnId};
use serde::{Deserialize, Serialize};

/// What a reader of a turn is told, in the shape of the wire: flat, with the kind in `type`.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event<'a> {
    /// The turn has begun.
    Metadata(&'a Metadata),
    /// More of the answer.
    Token {
        /// What is added to it.
        content: &'a str,
    },
    /// What the model thinks before it answers; not part of the answer.
    Thinking {
        /// What is added to the thoughts.
        content: &'a str,
    },
    /// A passage that the model was given for its answer.
    Citation(&'a Citation),
    /// What the answer cost.
    Usage(TokenUsage),
    /// The answer is whole and stored.
    Done(&'a Done),
    /// The turn failed; what came before it is stored.
    Error {
        /// A stable name for programs.
        code: &'a str,
        /// A sentence for the person.
        message: &'a str,
    },
}

/// What is known of a turn when it begins.
#[derive(Debug, Clone, Serialize)]
pub struct Metadata {
    /// The turn.
    pub turn_id: TurnId,
    /// The conversation that it is part of.
    pub conversation_id: ConversationId,
    /// The agent's message, which is being written.
    pub message_id: MessageId,
    /// The agent.
    pub agent_id: AgentId,
    /// Its name.
    pub agent_name: String,
    /// Whether it remembers the conversation.
    pub has_memory: bool,
    /// The provider that answers.
    pub provider: String,
    /// The model that answers.
    pub model: String,
    /// The files that were sent along.
    pub files: Vec<UsedFile>,
}

/// How a file that was sent along fared.
#[derive(Debug, Clone, Serialize)]
pub struct UsedFile {
    /// What the sender calls it.
    pub filename: String,
    /// What the sender says it is.
    pub content_type: Option<String>,
    /// Its length in bytes.
    pub size: usize,
    /// Whether the agent was given what is in it, or only its name.
    pub read: bool,
}

/// What an answer cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct TokenUsage {
    /// Tokens of the prompt.
    pub input_tokens: u64,
    /// Tokens of the answer.
    pub output_tokens: u64,
    /// Whether the provider did not say, and these are estimates.
    pub estimated: bool,
}

/// How a turn ended that did not fail.
#[derive(Debug, Clone, Serialize)]
pub struct Done {
    /// The whole answer.
    pub response: String,
    /// The turn.
    pub turn_id: TurnId,
    /// The conversation that it is part of.
    pub conversation_id: ConversationId,
    /// The agent's message.
    pub message_id: MessageId,
    /// The agent.
    pub agent_id: AgentId,
    /// Why the model stopped: `stop`, `length` and the like.
    pub finish_reason: &'static str,
    /// What it cost, if that is known.
    pub usage: Option<TokenUsage>,
    /// The passages that the model was given.
    pub citations: Vec<Citation>,
}

impl Done {
    /// The same without the answer's text.
    pub(crate) fn without_text(&self) -> Self {
        Self {
            response: String::new(),
            turn_id: self.turn_id,
            conversation_id: self.conversation_id,
            message_id: self.message_id,
            agent_id: self.agent_id,
            finish_reason: self.finish_reason,
            usage: self.usage,
            citations: self.citations.clone(),
        }
    }
}

/// The answer that a frame of [`Event::Done`] carries; nothing if the frame is another event's.
pub(crate) fn answer_of(frame: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Whole {
        response: String,
    }
    let start = frame.windows(DATA.len()).position(|bytes| bytes == DATA)? + DATA.len();
    serde_json::from_slice(frame.get(start..)?).ok().map(|Whole { response }| response)
}

/// What stands between a frame's number and its event.
const DATA: &[u8] = b"\ndata: ";

/// Writes events as frames of a server-sent event stream, each with its number.
#[derive(Debug, Default)]
pub(crate) struct Frames {
    buffer: BytesMut,
    numbers: Vec<(u64, usize)>,
    next: u64,
}

impl Frames {
    /// Adds an event.
    pub(crate) fn push(&mut self, event: &Event<'_>) {
        self.next += 1;
        let mut writer = (&mut self.buffer).writer();
        // Writing to memory does not fail, and the events are plain structs that always serialise.
        let _ = std::io::Write::write_fmt(&mut writer, format_args!("id: {}\ndata: ", self.next));
        let _ = serde_json::to_writer(&mut writer, event);
        self.buffer.put_slice(b"\n\n");
        self.numbers.push((self.next, self.buffer.len()));
    }

    /// Whether nothing was added since the last take.
    pub(crate) fn is_empty(&self) -> bool {
        self.numbers.is_empty()
    }

    /// How many bytes were added since the last take.
    pub(crate) fn len(&self) -> usize {
        self.buffer.len()
    }

    /// What was added since the last take: the bytes, and the number and the end of each frame.
    pub(crate) fn take(&mut self) -> (bytes::Bytes, Vec<(u64, usize)>) {
        (self.buffer.split().freeze(), std::mem::take(&mut self.numbers))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_flat_and_numbered() {
        let mut frames = Frames::default();
        frames.push(&Event::Token { content: "To \"x\"\n" });
        frames.push(&Event::Error { code: "cancelled", message: "stopped" });
        let (bytes, numbers) = frames.take();
        let text = std::str::from_utf8(&bytes).unwrap();
        assert_eq!(
            text,
            "id: 1\ndata: {\"type\":\"token\",\"content\":\"To \\\"x\\\"\\n\"}\n\n\
             id: 2\ndata: {\"type\":\"error\",\"code\":\"cancelled\",\"message\":\"stopped\"}\n\n"
        );
        assert_eq!(numbers.last(), Some(&(2, text.len())));
        assert!(frames.is_empty());
        frames.push(&Event::Token { content: "a" });
        assert!(frames.take().0.starts_with(b"id: 3\n"));
    }
}
