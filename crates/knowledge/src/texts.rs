use omni_documents::{Extract, Format, Section};
use omni_domain::{DocumentId, Invalid, MetadataFilter, SiloId, Text, optional_text, required_text};
use omni_persistence::{Going, Home, NewText};
use omni_rbac::{Editor, Grant, Viewer};
use serde_json::{Map, Value};

use crate::index::Indexing;
use crate::{Knowledge, KnowledgeError, Unwatched};

/// The most bytes of a text that is indexed while its sender waits.
const MOST_TEXT: usize = 1_000_000;
/// The most fields that a document's metadata have.
const MOST_FIELDS: usize = 64;
/// The most bytes of all of them together.
const MOST_METADATA: usize = 16 * 1024;

/// A text that a program wants found.
#[derive(Debug, Clone)]
pub struct TextDraft {
    /// What it is called.
    pub name: String,
    /// What it says.
    pub text: String,
    /// Where it is from, if that is an address.
    pub url: Option<String>,
    /// What is known of it, for filters.
    pub metadata: Map<String, Value>,
}

impl Knowledge {
    /// Makes a text be found in a silo, and says how many passages it was cut into. When this answers, it can be found.
    ///
    /// # Errors
    /// If it breaks a rule, the silo is not the app's, or it cannot be embedded; then nothing is kept of it. If a Qdrant
    /// server fails, there is a document that says so.
    pub async fn index_text(
        &self,
        grant: &Grant<Editor>,
        silo: SiloId,
        draft: TextDraft,
    ) -> Result<(DocumentId, u64), KnowledgeError> {
        let name = required_text("name", &draft.name, Text::Name)?;
        let url = optional_text("url", draft.url.as_deref(), Text::Url)?;
        let metadata = check_metadata(draft.metadata)?;
        check_text(&draft.text)?;
        let bytes = u64::try_from(draft.text.len()).unwrap_or(u64::MAX);
        let text = NewText { name: &name, url: url.as_deref(), bytes, metadata: &metadata };
        let section = Section { text: draft.text, page: None, headings: Vec::new() };
        let mut extract = Extract::new(Format::Text);
        extract.sections = vec![section];
        let chunks = self.parts.chunker.chunks(&extract);
        let home = Home::Text(&text);
        let indexing = Indexing { home, silo, metadata: &metadata, chunks, title: None, pages: None };
        self.index(grant, &indexing, &Unwatched).await
    }

    /// How many documents of a silo there are, or pass a filter.
    ///
    /// # Errors
    /// If the silo is not the app's.
    pub async fn count_documents(
        &self,
        grant: &Grant<Viewer>,
        silo: SiloId,
        filter: Option<&MetadataFilter>,
    ) -> Result<u64, KnowledgeError> {
        Ok(self.parts.store.count_documents(grant, silo, filter).await?)
    }

    /// Removes documents of a silo, and says how many there were.
    ///
    /// # Errors
    /// If there is no such silo, or the filter lets everything pass: nobody empties a silo by leaving something out.
    pub async fn delete_documents(
        &self,
        grant: &Grant<Editor>,
        silo: SiloId,
        going: Going<'_>,
    ) -> Result<usize, KnowledgeError> {
        if let Going::Passing(filter) = &going
            && filter.conditions().is_empty()
        {
            return Err(Invalid::new("filter_metadata", "must have a condition").into());
        }
        self.parts.store.embedded_silo(&grant.at(), silo).await?;
        let gone = self.parts.store.delete_documents(grant, silo, going).await?;
        self.something_was_deleted();
        Ok(gone.len())
    }
}

fn check_text(text: &str) -> Result<(), Invalid> {
    if text.trim().is_empty() {
        return Err(Invalid::new("text", "must not be empty"));
    }
    if text.len() > MOST_TEXT {
        return Err(Invalid::new(
            "text",
            format!("must have at most {MOST_TEXT} bytes; put longer ones into a repository"),
        ));
    }
    if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
        return Err(Invalid::new("text", "must not contain control characters"));
    }
    Ok(())
}

/// What is known of a document, if filters can go by it.
pub(crate) fn check_metadata(metadata: Map<String, Value>) -> Result<Map<String, Value>, Invalid> {
    let is_plain = |value: &Value| matches!(value, Value::String(_) | Value::Number(_) | Value::Bool(_));
    let fits = |value: &Value| match value {
        Value::Array(values) => values.iter().all(is_plain),
        value => is_plain(value),
    };
    if metadata.len() > MOST_FIELDS || !metadata.values().all(fits) {
        let problem = format!("must be at most {MOST_FIELDS} texts, numbers, booleans, or lists of them");
        return Err(Invalid::new("metadata", problem));
    }
    if metadata.iter().map(|(name, value)| name.len() + value.to_string().len()).sum::<usize>() > MOST_METADATA {
        return Err(Invalid::new("metadata", format!("must have at most {MOST_METADATA} bytes")));
    }
    Ok(metadata)
}
