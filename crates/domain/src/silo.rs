use std::fmt;
use std::str::FromStr;

use crate::{
    AppId, Audited, EmbeddingServiceId, Facts, Invalid, Patch, ServiceId, SiloId, Text, Timestamp, optional_text,
    required_text,
};

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
    /// How it is kept and searched.
    pub settings: SiloSettings,
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
            .and(self.settings.facts())
    }
}

/// A silo as one of its app's members sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SiloOverview {
    /// The silo.
    pub silo: Silo,
    /// How many documents it has, read or not.
    pub documents: u64,
    /// How many passages its documents were cut into.
    pub chunks: u64,
    /// Whether anything in it was embedded: from then on, what embeds it stays.
    pub has_content: bool,
}

/// How a silo is kept and searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SiloSettings {
    /// Where its vectors are.
    pub vector_db: VectorDbType,
    /// What embeds its texts; without one, the model that is built in.
    pub embedding_service: Option<EmbeddingServiceId>,
    /// What puts the passages that were found in order; without one, their fused ranks do.
    pub reranking_service: Option<ServiceId>,
    /// How many passages an agent is given for a question.
    pub retrieval_count: u32,
}

impl Default for SiloSettings {
    fn default() -> Self {
        Self { vector_db: VectorDbType::PgVector, embedding_service: None, reranking_service: None, retrieval_count: 5 }
    }
}

impl SiloSettings {
    /// The most passages that an agent can be given for a question.
    pub const MOST_RETRIEVED: u32 = 100;

    /// Checks what the caller sent, except for what it refers to; what is left out is as usual.
    ///
    /// # Errors
    /// An [`Invalid`] that names the first field that breaks a rule.
    pub fn new(
        vector_db: Option<&str>,
        embedding_service: Option<EmbeddingServiceId>,
        reranking_service: Option<ServiceId>,
        retrieval_count: Option<u32>,
    ) -> Result<Self, Invalid> {
        let usual = Self::default();
        Ok(Self {
            vector_db: vector_db.map_or(Ok(usual.vector_db), read_vector_db)?,
            embedding_service,
            reranking_service,
            retrieval_count: retrieval_count.map_or(Ok(usual.retrieval_count), check_retrieval_count)?,
        })
    }

    /// Whether both keep their vectors in the same place and make them with the same service.
    #[must_use]
    pub fn embeds_like(self, other: Self) -> bool {
        (self.vector_db, self.embedding_service) == (other.vector_db, other.embedding_service)
    }

    /// What an audit trail says of them.
    pub(crate) fn facts(self) -> Facts {
        Facts::new()
            .with("vector_db_type", self.vector_db.as_str())
            .with("embedding_service_id", self.embedding_service)
            .with("reranking_service_id", self.reranking_service)
            .with("retrieval_count", self.retrieval_count)
    }
}

/// A change of how a silo is kept and searched.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SiloSettingsPatch {
    /// Another place for its vectors.
    pub vector_db: Patch<String>,
    /// Another embedding service.
    pub embedding_service: Patch<EmbeddingServiceId>,
    /// Another reranker.
    pub reranking_service: Patch<ServiceId>,
    /// Another number of passages.
    pub retrieval_count: Patch<u32>,
}

impl SiloSettingsPatch {
    /// The settings as they will be, except that what they refer to is not checked.
    ///
    /// # Errors
    /// An [`Invalid`] that names the first field that breaks a rule.
    pub fn apply(self, stored: SiloSettings) -> Result<SiloSettings, Invalid> {
        let usual = SiloSettings::default();
        Ok(SiloSettings {
            vector_db: match self.vector_db {
                Patch::Keep => stored.vector_db,
                Patch::Clear => usual.vector_db,
                Patch::Set(word) => read_vector_db(&word)?,
            },
            embedding_service: self.embedding_service.over(stored.embedding_service),
            reranking_service: self.reranking_service.over(stored.reranking_service),
            retrieval_count: check_retrieval_count(
                self.retrieval_count.over_or(stored.retrieval_count, usual.retrieval_count),
            )?,
        })
    }
}

/// A new silo, checked except for what it refers to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SiloDraft {
    /// What members will call it.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// How it is kept and searched.
    pub settings: SiloSettings,
}

impl SiloDraft {
    /// Checks the texts.
    ///
    /// # Errors
    /// An [`Invalid`] that names the first field that breaks a rule.
    pub fn new(name: &str, description: Option<&str>, settings: SiloSettings) -> Result<Self, Invalid> {
        Ok(Self {
            name: required_text("name", name, Text::Name)?,
            description: optional_text("description", description, Text::Description)?,
            settings,
        })
    }
}

/// A change of a silo.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SiloPatch {
    /// A new name.
    pub name: Patch<String>,
    /// A new description.
    pub description: Patch<String>,
    /// Other settings.
    pub settings: SiloSettingsPatch,
}

impl SiloPatch {
    /// The silo as it will be, except that what it refers to is not checked.
    ///
    /// # Errors
    /// An [`Invalid`] that names the first field that breaks a rule.
    pub fn apply(self, stored: Silo) -> Result<Silo, Invalid> {
        let (settings, updated) = (self.settings.apply(stored.settings)?, stored.updated);
        let next = stored.with_settings(settings, updated);
        Ok(Silo {
            name: self.name.over_required("name", next.name, Text::Name)?,
            description: self.description.over_optional("description", next.description, Text::Description)?,
            ..next
        })
    }
}

impl Silo {
    /// The silo with other settings, from `updated` on.
    #[must_use]
    pub fn with_settings(self, settings: SiloSettings, updated: Timestamp) -> Self {
        let embeds_alike = settings.embeds_like(self.settings);
        Self {
            settings,
            // Whatever made the vectors that it no longer has says nothing of those that it will have.
            embedded_with: self.embedded_with.filter(|_| embeds_alike),
            updated,
            ..self
        }
    }
}

fn read_vector_db(word: &str) -> Result<VectorDbType, Invalid> {
    let word = required_text("vector_db_type", word, Text::Token)?;
    word.parse().map_err(|problem: String| Invalid::new("vector_db_type", problem))
}

fn check_retrieval_count(count: u32) -> Result<u32, Invalid> {
    if (1..=SiloSettings::MOST_RETRIEVED).contains(&count) {
        Ok(count)
    } else {
        Err(Invalid::new("retrieval_count", format!("must be from 1 to {}", SiloSettings::MOST_RETRIEVED)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn silo() -> Silo {
        Silo {
            id: SiloId::new(1),
            app: AppId::new(1),
            name: "Handbook".into(),
            description: None,
            kind: SiloType::Custom,
            settings: SiloSettings { retrieval_count: 7, ..SiloSettings::default() },
            embedded_with: Some(("local/hash-v1-384".into(), 384)),
            epoch: 1,
            created: Timestamp::UNIX_EPOCH,
            updated: Timestamp::UNIX_EPOCH,
        }
    }

    #[test]
    fn what_is_left_out_is_as_usual() {
        assert_eq!(SiloSettings::new(None, None, None, None), Ok(SiloSettings::default()));
        assert_eq!(SiloSettings::new(Some("qdrant"), None, None, None).unwrap().vector_db, VectorDbType::Qdrant);
        for count in [0, 101] {
            assert_eq!(SiloSettings::new(None, None, None, Some(count)).unwrap_err().field, "retrieval_count");
        }
        let unknown = SiloSettings::new(Some("PINECONE"), None, None, None).unwrap_err();
        assert!(unknown.to_string().contains("PGVECTOR, QDRANT"), "{unknown}");
    }

    #[test]
    fn another_service_forgets_what_it_was_embedded_with_and_another_name_does_not() {
        let renamed = SiloPatch { name: Patch::Set("Manual".into()), ..Default::default() };
        assert_eq!(renamed.apply(silo()).unwrap().embedded_with, silo().embedded_with);
        let settings =
            SiloSettingsPatch { embedding_service: Patch::Set(EmbeddingServiceId::new(3)), ..Default::default() };
        let moved = SiloPatch { settings, ..Default::default() }.apply(silo()).unwrap();
        assert_eq!((moved.embedded_with, moved.settings.retrieval_count), (None, 7));
    }

    #[test]
    fn clearing_goes_back_to_what_is_usual() {
        let settings = SiloSettingsPatch {
            vector_db: Patch::Clear,
            retrieval_count: Patch::Clear,
            embedding_service: Patch::Clear,
            reranking_service: Patch::Clear,
        };
        let stored = SiloSettings { vector_db: VectorDbType::Qdrant, ..silo().settings };
        let stored = Silo { settings: stored, ..silo() };
        let next = SiloPatch { settings, ..Default::default() }.apply(stored).unwrap();
        assert_eq!(next.settings, SiloSettings::default());
    }
}
