use omni_domain::Invalid;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::{NodeId, ProcessStart, SpawnToken};

/// The largest metadata, in bytes of JSON.
const LARGEST: usize = 16 * 1024;
/// How deep it may be nested.
const DEEPEST: usize = 32;

/// What a service says about itself beyond the contract: a JSON object of at most 16 KiB and 32 levels, without the
/// character U+0000, which PostgreSQL cannot store.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Metadata(Map<String, Value>);

/// What the metadata of a registration says about the process, for clients that know the fuller protocol.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hints {
    /// `nodeId`: the machine, if it is not the one that took the call.
    pub node: Option<NodeId>,
    /// `spawnToken`: what the parent gave this child only.
    pub token: Option<SpawnToken>,
    /// `startTime`: when the process began, as text or as a number.
    pub started: Option<ProcessStart>,
}

impl Metadata {
    /// Checks metadata that was stored, or that comes without hints.
    ///
    /// # Errors
    /// When it is too large or too deep, or holds U+0000; the field is `metadata`.
    pub fn new(object: Map<String, Value>) -> Result<Self, Invalid> {
        let refused = |problem: &str| Invalid::new("metadata", problem);
        if !object.iter().all(|(key, value)| is_storable_text(key) && is_storable(value, 1)) {
            return Err(refused("must have at most 32 levels and no U+0000"));
        }
        let metadata = Self(object);
        let bytes = serde_json::to_vec(&metadata).map_err(|error| refused(&error.to_string()))?;
        if bytes.len() > LARGEST {
            return Err(refused("must have at most 16 KiB"));
        }
        Ok(metadata)
    }

    /// Checks the metadata of a registration, and takes from it what tells the process from others. The spawn token is
    /// taken out, so that no listing shows it.
    ///
    /// # Errors
    /// As [`Metadata::new`]; also when a hint is not what it should be; the field names it.
    pub fn with_hints(mut object: Map<String, Value>) -> Result<(Self, Hints), Invalid> {
        let token = match object.remove("spawnToken") {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) => Some(SpawnToken::new(&text)?),
            Some(_) => return Err(Invalid::new("metadata.spawnToken", "must be a text")),
        };
        let started = match object.get("startTime") {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) => Some(ProcessStart::new(text)?),
            Some(Value::Number(number)) => Some(ProcessStart::new(&number.to_string())?),
            Some(_) => return Err(Invalid::new("metadata.startTime", "must be a text or a number")),
        };
        let node = match object.get("nodeId") {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) => Some(NodeId::new(text)?),
            Some(_) => return Err(Invalid::new("metadata.nodeId", "must be a text")),
        };
        Ok((Self::new(object)?, Hints { node, token, started }))
    }

    /// The object.
    #[must_use]
    pub const fn as_object(&self) -> &Map<String, Value> {
        &self.0
    }
}

fn is_storable(value: &Value, depth: usize) -> bool {
    match value {
        Value::String(text) => is_storable_text(text),
        Value::Array(_) | Value::Object(_) if depth == DEEPEST => false,
        Value::Array(items) => items.iter().all(|item| is_storable(item, depth + 1)),
        Value::Object(object) => {
            object.iter().all(|(key, value)| is_storable_text(key) && is_storable(value, depth + 1))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => true,
    }
}

fn is_storable_text(text: &str) -> bool {
    !text.contains('\0')
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(value: Value) -> Map<String, Value> {
        match value {
            Value::Object(object) => object,
            other => panic!("{other} is no object"),
        }
    }

    #[test]
    fn hints_are_found_and_the_token_is_taken_out() {
        let given = object(json!({
            "spawnToken": "0123456789abcdef", "startTime": 48213, "nodeId": "attic", "version": "1.2.3"
        }));
        let (metadata, hints) = Metadata::with_hints(given).unwrap();
        assert_eq!(hints.token.unwrap().as_str(), "0123456789abcdef");
        assert_eq!(hints.started.unwrap().as_str(), "48213");
        assert_eq!(hints.node.unwrap().as_str(), "attic");
        assert_eq!(Value::Object(metadata.0), json!({"startTime": 48213, "nodeId": "attic", "version": "1.2.3"}));
    }

    #[test]
    fn hints_are_optional() {
        let (_, hints) = Metadata::with_hints(object(json!({"spawnToken": null}))).unwrap();
        assert_eq!(hints, Hints::default());
    }

    #[test]
    fn a_hint_of_the_wrong_kind_is_named() {
        for (given, field) in [
            (json!({"spawnToken": 1}), "metadata.spawnToken"),
            (json!({"spawnToken": "short"}), "metadata.spawnToken"),
            (json!({"startTime": []}), "metadata.startTime"),
            (json!({"nodeId": {}}), "metadata.nodeId"),
        ] {
            assert_eq!(Metadata::with_hints(object(given)).unwrap_err().field, field);
        }
    }

    #[test]
    fn is_bounded_in_size_and_depth() {
        let fits = json!({"text": "x".repeat(16 * 1024 - 11)});
        assert!(Metadata::new(object(fits)).is_ok());
        let large = json!({"text": "x".repeat(16 * 1024 - 10)});
        assert_eq!(Metadata::new(object(large)).unwrap_err().field, "metadata");
        let nested = |levels: usize| object((1..levels).fold(json!({}), |inner, _| json!({"in": inner})));
        assert!(Metadata::new(nested(32)).is_ok());
        assert!(Metadata::new(nested(33)).is_err());
    }

    #[test]
    fn holds_nothing_that_the_database_cannot() {
        for given in [json!({"a": "\0"}), json!({"a\0": 1}), json!({"a": [{"b\0": 1}]}), json!({"a": [["\0"]]})] {
            assert!(Metadata::new(object(given)).is_err());
        }
    }
}
