use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{AgentId, AppId, Audited, ConversationId, Facts, MessageId, Timestamp, TurnId, TurnUsage, UserId};

/// The longest title that is made of a message, in characters.
const TITLE: usize = 80;
/// How much of a message a list shows, in characters.
const EXCERPT: usize = 200;

/// A conversation of one person with one agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conversation {
    /// The conversation's number.
    pub id: ConversationId,
    /// The app of the agent.
    pub app: AppId,
    /// The agent.
    pub agent: AgentId,
    /// The agent's name as it is now.
    pub agent_name: String,
    /// The person; nobody else may read it.
    pub user: UserId,
    /// Made from the first message.
    pub title: Option<String>,
    /// Where it began.
    pub source: ConversationSource,
    /// How many messages it has.
    pub message_count: u64,
    /// The beginning of its latest message.
    pub last_message: Option<String>,
    /// When it began.
    pub created: Timestamp,
    /// When its latest message came.
    pub updated: Timestamp,
}

/// Where a conversation began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConversationSource {
    /// In the workspace, by a member.
    Playground,
    /// In the marketplace.
    Marketplace,
    /// Through the public API.
    Api,
}

/// Who a message is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Author {
    /// The person.
    User,
    /// The agent.
    Agent,
}

/// How the writing of a message stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MessageStatus {
    /// It is whole.
    Complete,
    /// The agent is still writing it.
    Streaming,
    /// The model failed; the message has what came before.
    Failed,
    /// The program stopped in the middle; the message has what came before.
    Interrupted,
}

/// One message of a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The message's number; later messages have higher ones.
    pub id: MessageId,
    /// The turn that it is part of: a question and its answer share one.
    pub turn: TurnId,
    /// Who it is from.
    pub author: Author,
    /// What it says.
    pub content: String,
    /// How its writing stands.
    pub status: MessageStatus,
    /// Why it failed, in a sentence for the person.
    pub error: Option<String>,
    /// What the turn cost, on an agent's message.
    pub usage: Option<TurnUsage>,
    /// When it came.
    pub created: Timestamp,
}

macro_rules! words {
    ($type:ty { $($variant:ident => $word:literal),* $(,)? }) => {
        impl $type {
            /// The word that the contract and the database use.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),* }
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl FromStr for $type {
            type Err = String;

            fn from_str(word: &str) -> Result<Self, Self::Err> {
                match word {
                    $($word => Ok(Self::$variant),)*
                    other => Err(format!("`{other}` is none of the known words")),
                }
            }
        }
    };
}

words!(ConversationSource { Playground => "playground", Marketplace => "marketplace", Api => "api" });
words!(Author { User => "user", Agent => "agent" });
words!(MessageStatus { Complete => "complete", Streaming => "streaming", Failed => "failed", Interrupted => "interrupted" });

/// The title of a conversation that begins with `message`: its first line, cut at a word.
#[must_use]
pub fn title_from(message: &str) -> String {
    let line = message.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    shorten(line, TITLE)
}

/// The beginning of a message, for lists.
#[must_use]
pub fn excerpt(message: &str) -> String {
    message.chars().take(EXCERPT).collect()
}

fn shorten(line: &str, most: usize) -> String {
    if line.chars().count() <= most {
        return line.to_owned();
    }
    let cut: String = line.chars().take(most - 1).collect();
    let whole_words = cut.rsplit_once(' ').map_or(cut.as_str(), |(words, _)| words);
    format!("{}…", whole_words.trim_end())
}

impl Audited for Conversation {
    const KIND: &'static str = "conversation";

    fn number(&self) -> i64 {
        self.id.get()
    }

    /// The title is what somebody said, and not for other people's eyes.
    fn title(&self) -> &str {
        ""
    }

    fn facts(&self) -> Facts {
        Facts::new().with("agent_id", self.agent).with("messages", self.message_count)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_title_is_the_first_line_cut_at_a_word() {
        assert_eq!(title_from("\n  How do I reset my password?\nThanks"), "How do I reset my password?");
        let long = "word ".repeat(40);
        assert!(title_from(&long).ends_with("word…"));
    }

    proptest! {
        #[test]
        fn titles_and_excerpts_are_bounded(message in "\\PC{0,400}") {
            prop_assert!(title_from(&message).chars().count() <= TITLE);
            prop_assert!(excerpt(&message).chars().count() <= EXCERPT);
        }
    }
}
