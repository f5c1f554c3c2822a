//! What is asked of a silo as a whole.

mod count;
mod delete_documents;
mod embed;
mod index;
mod search;

pub(crate) use count::Count;
pub(crate) use delete_documents::DeleteDocuments;
pub(crate) use embed::Embed;
pub(crate) use index::Index;
pub(crate) use search::Search;

use omni_domain::{Invalid, MetadataFilter};
use serde_json::Value;

const SECTION: &str = "Silos & Vector Stores";

fn filter(value: Option<&Value>) -> Result<Option<MetadataFilter>, Invalid> {
    value.filter(|value| !value.is_null()).map(|value| MetadataFilter::from_json("filter_metadata", value)).transpose()
}
