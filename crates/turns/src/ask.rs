use bytes::Bytes;
use omni_domain::{AgentId, ConversationId, Invalid, Text, required_text};

use crate::event::UsedFile;

/// The most text of an attachment that the model is given, in bytes.
const MOST_READ: usize = 100_000;

/// What a person asks of an agent.
#[derive(Debug, Clone)]
pub struct Ask {
    /// Whom.
    pub agent: AgentId,
    /// In which conversation; none goes on with the latest one, or begins the first.
    pub conversation: Option<ConversationId>,
    /// Whether a new conversation begins, whatever there was before.
    pub afresh: bool,
    /// What they say.
    pub message: String,
    /// What they send along.
    pub attachments: Vec<Attachment>,
}

/// A file that is sent along with a message.
#[derive(Debug, Clone)]
pub struct Attachment {
    /// What the sender calls it.
    pub filename: String,
    /// What the sender says it is.
    pub content_type: Option<String>,
    /// What is in it.
    pub content: Bytes,
}

impl Ask {
    /// Checks what was sent, before anything is looked up.
    pub(crate) fn check(mut self) -> Result<Self, Invalid> {
        if self.message.trim().is_empty() {
            return Err(Invalid::new("message", "must not be empty"));
        }
        self.message = required_text("message", &self.message, Text::Message)?;
        if self.afresh && self.conversation.is_some() {
            return Err(Invalid::new("new_conversation", "does not go with conversation_id"));
        }
        Ok(self)
    }

    /// What the person said, with what could be read of the files behind it, and how each file fared. A file that cannot be
    /// read is named to the model all the same: it can then say so, instead of answering as if nothing had been sent.
    pub(crate) fn read_attachments(&self) -> (String, Vec<UsedFile>) {
        let mut message = self.message.clone();
        let mut used = Vec::with_capacity(self.attachments.len());
        for file in &self.attachments {
            let name: String = file.filename.chars().filter(|c| !c.is_control()).take(200).collect();
            match file.text() {
                Some(text) => message.push_str(&format!("\n\n--- file: {name} ---\n{text}\n--- end of file ---")),
                None => message.push_str(&format!("\n\n[A file was attached that cannot be read here: {name}]")),
            }
            used.push(UsedFile {
                filename: name,
                content_type: file.content_type.clone(),
                size: file.content.len(),
                read: file.text().is_some(),
            });
        }
        (message, used)
    }
}

impl Attachment {
    /// The file's text, as much of it as is given to a model, if it is text.
    fn text(&self) -> Option<&str> {
        let text = std::str::from_utf8(&self.content).ok()?;
        if text.contains('\0') {
            return None;
        }
        let end = (0..=MOST_READ.min(text.len())).rev().find(|end| text.is_char_boundary(*end))?;
        text.get(..end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(message: &str, attachments: Vec<Attachment>) -> Ask {
        Ask { agent: AgentId::new(1), conversation: None, afresh: false, message: message.into(), attachments }
    }

    fn file(filename: &str, content: &'static [u8]) -> Attachment {
        Attachment { filename: filename.into(), content_type: None, content: Bytes::from_static(content) }
    }

    #[test]
    fn an_empty_message_asks_nothing() {
        assert_eq!(ask("  \n", vec![]).check().unwrap_err().field, "message");
        assert_eq!(ask(" hi ", vec![]).check().unwrap().message, "hi");
    }

    #[test]
    fn text_is_read_and_the_rest_is_named() {
        let (message, used) =
            ask("What is this?", vec![file("a.txt", b"forty-two"), file("b.png", b"\x89PNG\x0d\x0a\x00")])
                .read_attachments();
        assert!(message.contains("--- file: a.txt ---\nforty-two"));
        assert!(message.contains("cannot be read here: b.png"));
        assert_eq!(used.iter().map(|file| file.read).collect::<Vec<_>>(), [true, false]);
    }

    #[test]
    fn a_long_file_is_cut_at_a_character() {
        let long = Bytes::from("ü".repeat(MOST_READ));
        let attachment = Attachment { filename: "a".into(), content_type: None, content: long };
        assert!(attachment.text().is_some_and(|text| text.len() <= MOST_READ && text.len() > MOST_READ - 4));
    }
}
