use std::fmt;
use std::num::ParseIntError;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(i64);

        impl $name {
            /// Takes the number that the database or a request gave.
            #[must_use]
            pub const fn new(id: i64) -> Self {
                Self(id)
            }

            /// The number behind the id.
            #[must_use]
            pub const fn get(self) -> i64 {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = ParseIntError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                // An id has one spelling: `+7` is as little a number here as `+` is.
                let text = if text.starts_with('+') { "+" } else { text };
                text.parse().map(Self)
            }
        }
    )*};
}

ids! {
    /// A person with an account.
    UserId,
    /// One session of a person: what they know it by, not what it is opened with.
    SessionId,
    /// An app, which users call a workspace: the tenant that everything else belongs to.
    AppId,
    /// A model provider that an app has configured.
    ServiceId,
    /// An agent of an app.
    AgentId,
    /// A person's place in an app that somebody else owns.
    CollaborationId,
    /// A key by which programs use an app's agents.
    ApiKeyId,
    /// A provider of embeddings that an app has configured.
    EmbeddingServiceId,
    /// A silo of an app: documents that are searched together.
    SiloId,
    /// A repository of an app: files in folders, searched as one silo.
    RepositoryId,
    /// A folder of a repository.
    FolderId,
    /// A domain of an app: a web site that is visited, searched as one silo.
    DomainId,
    /// A page of a domain.
    DomainUrlId,
    /// Work that outlives its request.
    JobId,
    /// A document of a silo.
    DocumentId,
    /// A chunk of a document: what is embedded and found.
    ChunkId,
    /// A conversation of one person with one agent.
    ConversationId,
    /// One message of a conversation.
    MessageId,
    /// One turn: a question and the answer that is being or was made to it.
    TurnId,
}
