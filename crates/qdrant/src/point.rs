use std::fmt;

use omni_domain::{ChunkId, DocumentId};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::{Collection, QdrantError, Tenant};

/// The name of a point, unique in its collection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PointId {
    /// A number.
    Number(u64),
    /// A UUID.
    Uuid(Uuid),
}

/// A chunk as it is stored: its vector, and what it is found by.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    /// Its name. A point of the same name is replaced, whosever it is.
    pub id: PointId,
    /// Its vector. The server keeps it scaled to length 1, which is all that cosine needs.
    pub vector: Vec<f32>,
    /// The document that the chunk is of.
    pub document: DocumentId,
    /// The chunk.
    pub chunk: ChunkId,
    /// What a filter over metadata looks at.
    pub metadata: Map<String, Value>,
}

/// A point on the wire.
#[derive(Serialize)]
pub(crate) struct WirePoint<'a> {
    id: WireId,
    vector: &'a [f32],
    payload: WirePayload<'a>,
}

#[derive(Serialize)]
struct WirePayload<'a> {
    app: String,
    silo: String,
    document: String,
    chunk: ChunkId,
    metadata: &'a Map<String, Value>,
}

/// Either of the two forms that the API has.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum WireId {
    Number(u64),
    Text(String),
}

impl Point {
    pub(crate) fn on_the_wire(&self, collection: &Collection, tenant: Tenant) -> Result<WirePoint<'_>, QdrantError> {
        Ok(WirePoint {
            id: self.id.into(),
            vector: collection.checked(&self.vector)?,
            payload: WirePayload {
                app: tenant.app.to_string(),
                silo: tenant.silo.to_string(),
                document: self.document.to_string(),
                chunk: self.chunk,
                metadata: &self.metadata,
            },
        })
    }
}

impl From<PointId> for WireId {
    fn from(id: PointId) -> Self {
        match id {
            PointId::Number(number) => Self::Number(number),
            PointId::Uuid(uuid) => Self::Text(uuid.to_string()),
        }
    }
}

impl TryFrom<WireId> for PointId {
    type Error = QdrantError;

    fn try_from(id: WireId) -> Result<Self, QdrantError> {
        match id {
            WireId::Number(number) => Ok(Self::Number(number)),
            WireId::Text(text) => {
                let uuid = Uuid::parse_str(&text).map_err(|_| QdrantError::malformed("a point has no id"))?;
                Ok(Self::Uuid(uuid))
            }
        }
    }
}

impl fmt::Display for PointId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Uuid(uuid) => uuid.fmt(f),
        }
    }
}
