use std::fmt;
use std::str::FromStr;

use crate::{AppId, Audited, EmbeddingServiceId, Facts, SiloId, Timestamp};

/// A silo: documents that are searched together, by one model of embeddings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Silo {
    /// The silo's number.
    pub id: SiloId,
    /// The app that it belongs to.
    pub app: AppId,
    /// What members call it; unique in its app.
    pub name: String,
    /// What it is for; an agent's model reads it, too.
    pub description: Option<String>,
    /// What it is part of.
    pub kind: SiloType,
    /// Where its vectors are.
    pub vector_db: VectorDbType,
    /// What embeds its texts; without one, the model that is built in.
    pub embedding_service: Option<EmbeddingServiceId>,
    /// How many passages an agent is given for a question.
    pub retrieval_count: u32,
    /// What its vectors were made with: the model's id and how many dimensions it has. None before the first one.
    pub embedded_with: Option<(String, u32)>,
    /// Which of its vectors are searched.
    pub epoch: u64,
    /// When it was made.
    pub created: Timestamp,
    /// When it last changed.
    pub updated: Timestamp,
}

/// What a silo is part of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SiloType {
    /// Nothing: somebody made it.
    Custom,
    /// A repository, which it was made and goes with.
    Repo,
    /// A domain, which it was made and goes with.
    Domain,
}

/// Where a silo's vectors are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VectorDbType {
    /// In PostgreSQL, with everything else.
    PgVector,
    /// In the Qdrant server that the operator configured.
    Qdrant,
}

macro_rules! words {
    ($name:ident, $what:literal: $($variant:ident => $word:literal),* $(,)?) => {
        impl $name {
            /// The word on the wire and in the database.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)*
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = String;

            /// Reads the word in any case.
            fn from_str(word: &str) -> Result<Self, String> {
                let known = [$(Self::$variant),*];
                let found = known.into_iter().find(|known| known.as_str().eq_ignore_ascii_case(word));
                found.ok_or_else(|| {
                    let words: Vec<&str> = known.iter().map(|known| known.as_str()).collect();
                    format!("no {} is called {word:?}; there are {}", $what, words.join(", "))
                })
            }
        }
    };
}
pub(crate) use words;

words!(SiloType, "type of silo": Custom => "CUSTOM", Repo => "REPO", Domain => "DOMAIN");
words!(VectorDbType, "vector database": PgVector => "PGVECTOR", Qdrant => "QDRANT");

impl Audited for Silo {
    const KIND: &'static str = "silo";

    fn number(&self) -> i64 {
        self.id.get()
    }

    fn title(&self) -> &str {
        &self.name
    }

    fn facts(&self) -> Facts {
        Facts::new()
            .with("name", &self.name)
            .with("description", &self.description)
            .with("silo_type", self.kind.as_str())
            .with("vector_db_type", self.vector_db.as_str())
            .with("embedding_service_id", self.embedding_service)
            .with("retrieval_count", self.retrieval_count)
    }
}
