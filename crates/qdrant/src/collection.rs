use serde::Deserialize;
use serde_json::{Value, json};

use crate::QdrantError;
use crate::filter::key;

/// A collection of vectors of one length, compared by cosine.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Collection {
    name: String,
    dimensions: u32,
}

/// What the server accepts is more than this; these need no escape anywhere.
const LONGEST_NAME: usize = 200;
/// The longest vectors that the server stores.
const MOST_DIMENSIONS: u32 = 65_536;

impl Collection {
    /// Names a collection: 1 to 200 ASCII letters, digits, `_` and `-`; its vectors have 1 to 65536 dimensions.
    ///
    /// # Errors
    /// [`QdrantError::Invalid`].
    pub fn new(name: &str, dimensions: u32) -> Result<Self, QdrantError> {
        let fits = (1..=LONGEST_NAME).contains(&name.len())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
        if !fits {
            let problem = "must be 1 to 200 letters, digits, `_` and `-`";
            return Err(QdrantError::Invalid { field: "collection", problem });
        }
        if !(1..=MOST_DIMENSIONS).contains(&dimensions) {
            return Err(QdrantError::Invalid { field: "dimensions", problem: "must be 1 to 65536" });
        }
        Ok(Self { name: name.to_owned(), dimensions })
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The length of its vectors.
    #[must_use]
    pub const fn dimensions(&self) -> u32 {
        self.dimensions
    }

    /// A vector that fits.
    pub(crate) fn checked<'a>(&self, vector: &'a [f32]) -> Result<&'a [f32], QdrantError> {
        let (expected, found) = (u64::from(self.dimensions), u64::try_from(vector.len()).unwrap_or(u64::MAX));
        if expected != found {
            return Err(QdrantError::WrongDimensions { expected, found });
        }
        if !vector.iter().all(|number| number.is_finite()) {
            return Err(QdrantError::Invalid { field: "vector", problem: "must hold finite numbers only" });
        }
        Ok(vector)
    }

    /// What the server is told to make. `m` of 0 and `payload_m` give each tenant a graph of its own and none to all of
    /// them together, which is what Qdrant recommends for many tenants: a search never walks through somebody else's
    /// points (<https://qdrant.tech/documentation/guides/multiple-partitions>).
    pub(crate) fn creation(&self) -> Value {
        json!({
            "vectors": { "size": self.dimensions, "distance": "Cosine" },
            "hnsw_config": { "m": 0, "payload_m": 16, "ef_construct": 128 },
            "on_disk_payload": true,
        })
    }
}

/// What every filter looks at is indexed. Points of one tenant lie together on the disk.
pub(crate) fn indexes() -> [Value; 3] {
    let tenant = |name: &str| json!({ "field_name": name, "field_schema": { "type": "keyword", "is_tenant": true } });
    [tenant(key::APP), tenant(key::SILO), json!({ "field_name": key::DOCUMENT, "field_schema": "keyword" })]
}

/// What the server says of a collection, as far as it matters here.
#[derive(Deserialize)]
pub(crate) struct Description {
    config: Config,
    #[serde(default)]
    payload_schema: serde_json::Map<String, Value>,
}

#[derive(Deserialize)]
struct Config {
    params: Params,
}

#[derive(Deserialize)]
struct Params {
    vectors: Vectors,
}

#[derive(Deserialize)]
struct Vectors {
    size: u64,
    distance: String,
}

impl Description {
    /// Whether it is the collection that is meant.
    pub(crate) fn check(&self, collection: &Collection) -> Result<(), QdrantError> {
        let vectors = &self.config.params.vectors;
        let found = u64::from(collection.dimensions);
        if vectors.size != found {
            return Err(QdrantError::WrongDimensions { expected: vectors.size, found });
        }
        if vectors.distance != "Cosine" {
            let problem = "is taken by a collection that does not compare by cosine; remove it or choose another name";
            return Err(QdrantError::Invalid { field: "collection", problem });
        }
        Ok(())
    }

    /// Whether a field of the payload has its index.
    pub(crate) fn has_index(&self, index: &Value) -> bool {
        index.get("field_name").and_then(Value::as_str).is_some_and(|name| self.payload_schema.contains_key(name))
    }
}
