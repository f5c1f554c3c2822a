//! What the server holds, and what becomes of it.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::conditions::{Unreadable, matches};
use super::exchange::Reply;

/// The collections by name.
#[derive(Debug, Default)]
pub(super) struct Store {
    collections: BTreeMap<String, Collection>,
}

#[derive(Debug)]
struct Collection {
    /// The body that it was made with.
    made_with: Value,
    size: usize,
    payload_schema: Map<String, Value>,
    /// By the id's JSON.
    points: BTreeMap<String, Point>,
    operations: u64,
}

#[derive(Debug)]
struct Point {
    id: Value,
    /// Scaled to length 1, as Qdrant keeps vectors that it compares by cosine.
    vector: Vec<f64>,
    payload: Value,
}

/// Why a request is not followed.
pub(super) struct Refusal(u16, String);

impl Refusal {
    pub(super) fn reply(&self) -> Reply {
        Reply::error(self.0, &self.1)
    }

    fn wrong_input(what: &str) -> Self {
        Self(400, format!("Wrong input: {what}"))
    }

    fn format(what: &str) -> Self {
        Self(400, format!("Format error in JSON body: {what}"))
    }
}

impl From<Unreadable> for Refusal {
    fn from(Unreadable(what): Unreadable) -> Self {
        Self::format(&what)
    }
}

type Answer = Result<Value, Refusal>;

impl Store {
    pub(super) fn points(&self, collection: &str) -> Option<usize> {
        self.collections.get(collection).map(|collection| collection.points.len())
    }

    pub(super) fn all_points(&self) -> usize {
        self.collections.values().map(|collection| collection.points.len()).sum()
    }

    pub(super) fn route(&mut self, method: &str, path: &[&str], body: &Value, waits: bool) -> Answer {
        match (method, path) {
            ("GET", ["collections"]) => {
                let names: Vec<_> = self.collections.keys().map(|name| json!({ "name": name })).collect();
                Ok(json!({ "collections": names }))
            }
            ("PUT", ["collections", name]) => self.create(name, body),
            ("DELETE", ["collections", name]) => Ok(self.collections.remove(*name).is_some().into()),
            ("GET", ["collections", name, "exists"]) => Ok(json!({ "exists": self.collections.contains_key(*name) })),
            ("GET", ["collections", name]) => self.get(name).map(|collection| collection.describe()),
            ("PUT", ["collections", name, "index"]) => self.get(name)?.index(body, waits),
            ("PUT", ["collections", name, "points"]) => self.get(name)?.upsert(body, waits),
            ("POST", ["collections", name, "points", "delete"]) => self.get(name)?.delete(body, waits),
            ("POST", ["collections", name, "points", "count"]) => self.get(name)?.count(body),
            ("POST", ["collections", name, "points", "query"]) => self.get(name)?.query(body),
            _ => Err(Refusal(404, "Not found: the fake has no such endpoint".to_owned())),
        }
    }

    fn get(&mut self, name: &str) -> Result<&mut Collection, Refusal> {
        let missing = || Refusal(404, format!("Not found: Collection `{name}` doesn't exist!"));
        self.collections.get_mut(name).ok_or_else(missing)
    }

    fn create(&mut self, name: &str, body: &Value) -> Answer {
        if self.collections.contains_key(name) {
            return Err(Refusal(409, format!("Wrong input: Collection `{name}` already exists!")));
        }
        let size = body["vectors"]["size"].as_u64().and_then(|size| usize::try_from(size).ok());
        let size = size.ok_or_else(|| Refusal::format("missing field `size`"))?;
        if body["vectors"]["distance"] != "Cosine" {
            return Err(Refusal::format("the fake compares by Cosine only"));
        }
        if !(1..=65_536).contains(&size) {
            let problem = format!("Validation error in JSON body: [vectors.size: value {size} invalid]");
            return Err(Refusal(422, problem));
        }
        let (payload_schema, points) = (Map::new(), BTreeMap::new());
        let collection = Collection { made_with: body.clone(), size, payload_schema, points, operations: 0 };
        self.collections.insert(name.to_owned(), collection);
        Ok(true.into())
    }
}

impl Collection {
    fn describe(&self) -> Value {
        let made_with = &self.made_with;
        let mut hnsw = json!({ "m": 16, "ef_construct": 100, "full_scan_threshold": 10_000 });
        for (name, value) in made_with["hnsw_config"].as_object().into_iter().flatten() {
            hnsw[name] = value.clone();
        }
        json!({
            "status": "green",
            "optimizer_status": "ok",
            "indexed_vectors_count": 0,
            "points_count": self.points.len(),
            "segments_count": 1,
            "config": {
                "params": { "vectors": made_with["vectors"], "on_disk_payload": made_with["on_disk_payload"] },
                "hnsw_config": hnsw,
                "optimizer_config": {
                    "deleted_threshold": 0.2,
                    "vacuum_min_vector_number": 1_000,
                    "default_segment_number": 0,
                    "flush_interval_sec": 5,
                },
            },
            "payload_schema": self.payload_schema,
        })
    }

    /// What Qdrant says of a change, made already or only noted.
    fn changed(&mut self, waits: bool) -> Value {
        self.operations += 1;
        json!({ "operation_id": self.operations, "status": if waits { "completed" } else { "acknowledged" } })
    }

    fn index(&mut self, body: &Value, waits: bool) -> Answer {
        let name = body["field_name"].as_str().ok_or_else(|| Refusal::format("missing field `field_name`"))?;
        let schema = &body["field_schema"];
        let data_type = schema.as_str().or_else(|| schema["type"].as_str());
        let data_type = data_type.ok_or_else(|| Refusal::format("missing field `field_schema`"))?;
        if schema["is_tenant"] == true && !["keyword", "uuid"].contains(&data_type) {
            return Err(Refusal::format("only keywords and UUIDs tell tenants apart"));
        }
        let described = json!({ "data_type": data_type, "params": schema, "points": self.points.len() });
        self.payload_schema.insert(name.to_owned(), described);
        Ok(self.changed(waits))
    }

    fn upsert(&mut self, body: &Value, waits: bool) -> Answer {
        let points = body["points"].as_array().filter(|points| !points.is_empty());
        let points = points.ok_or_else(|| Refusal(400, "Bad request: Empty update request".to_owned()))?;
        let read: Vec<Point> = points.iter().map(|point| self.read(point)).collect::<Result<_, _>>()?;
        self.points.extend(read.into_iter().map(|point| (point.id.to_string(), point)));
        Ok(self.changed(waits))
    }

    fn read(&self, point: &Value) -> Result<Point, Refusal> {
        let id = &point["id"];
        if !(id.is_u64() || id.as_str().is_some_and(is_uuid)) {
            let problem =
                format!("value {id} is not a valid point ID, valid values are either an unsigned integer or a UUID");
            return Err(Refusal::format(&problem));
        }
        let vector = scaled(&self.vector(&point["vector"])?);
        let payload = if point["payload"].is_null() { json!({}) } else { point["payload"].clone() };
        Ok(Point { id: id.clone(), vector, payload })
    }

    fn vector(&self, vector: &Value) -> Result<Vec<f64>, Refusal> {
        let numbers: Option<Vec<f64>> =
            vector.as_array().and_then(|numbers| numbers.iter().map(Value::as_f64).collect());
        let numbers = numbers.ok_or_else(|| Refusal::format("data did not match any variant of untagged enum"))?;
        if numbers.len() == self.size {
            return Ok(numbers);
        }
        let (expected, got) = (self.size, numbers.len());
        Err(Refusal::wrong_input(&format!("Vector dimension error: expected dim: {expected}, got {got}")))
    }

    /// The keys of the points that the filter of a request lets pass.
    fn met(&self, body: &Value) -> Result<Vec<String>, Refusal> {
        let mut met = Vec::new();
        for (key, point) in &self.points {
            if matches(&body["filter"], &point.payload, &point.id)? {
                met.push(key.clone());
            }
        }
        Ok(met)
    }

    fn delete(&mut self, body: &Value, waits: bool) -> Answer {
        if body["filter"].is_null() {
            return Err(Refusal::format("data did not match any variant of untagged enum PointsSelector"));
        }
        for key in self.met(body)? {
            self.points.remove(&key);
        }
        Ok(self.changed(waits))
    }

    fn count(&self, body: &Value) -> Answer {
        Ok(json!({ "count": self.met(body)?.len() }))
    }

    fn query(&self, body: &Value) -> Answer {
        // A vector alone is short for its nearest.
        let query = body["query"].get("nearest").unwrap_or(&body["query"]);
        let wanted = scaled(&self.vector(query)?);
        let least = body["score_threshold"].as_f64().unwrap_or(f64::NEG_INFINITY);
        let limit = body["limit"].as_u64().unwrap_or(10);
        if limit == 0 {
            return Err(Refusal(
                422,
                "Validation error in JSON body: [limit: value 0 invalid, must be 1 or larger]".into(),
            ));
        }
        let mut scored = Vec::new();
        for key in self.met(body)? {
            let point = &self.points[&key];
            let score: f64 = point.vector.iter().zip(&wanted).map(|(a, b)| a * b).sum();
            if score >= least {
                scored.push((score, point));
            }
        }
        scored.sort_by(|(a, _), (b, _)| b.total_cmp(a));
        let found: Vec<Value> = scored
            .into_iter()
            .take(usize::try_from(limit).unwrap_or(usize::MAX))
            .map(|(score, point)| point.scored(score, body))
            .collect();
        Ok(json!({ "points": found }))
    }
}

impl Point {
    fn scored(&self, score: f64, body: &Value) -> Value {
        let mut scored = json!({ "id": self.id, "version": 0, "score": score });
        if body["with_payload"] == true {
            scored["payload"] = self.payload.clone();
        }
        if body["with_vector"] == true {
            scored["vector"] = json!(self.vector);
        }
        scored
    }
}

fn scaled(vector: &[f64]) -> Vec<f64> {
    let length = vector.iter().map(|number| number * number).sum::<f64>().sqrt();
    if length == 0.0 { vector.to_vec() } else { vector.iter().map(|number| number / length).collect() }
}

/// The usual form, with hyphens.
fn is_uuid(text: &str) -> bool {
    text.len() == 36 && text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
}
