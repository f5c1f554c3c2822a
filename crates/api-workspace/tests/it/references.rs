//! Everything that a request can point at by number, taken from the document of the API: pointed at what is another
//! tenant's, it is refused by name, and answered as if there were no such thing at all.

use std::collections::BTreeSet;

use omni_api_workspace::ROUTES;
use omni_http::Reach;
use omni_testkit::{Answer, Cast, Client, TestApi};
use serde_json::{Value, json};

use crate::openapi::Document;
use crate::scene::{Ids, Route, UNKNOWN, body, call_at, join, name, target};

/// One step from a body to a field in it.
#[derive(Debug, Clone, PartialEq)]
enum Step {
    Field(String),
    Item,
}

/// Where a schema has references: the way to each. Schemas that contain themselves end at the depth that JSON may have here.
fn references(document: &Document, schema: &Value, way: &[Step], found: &mut Vec<Vec<Step>>) {
    if way.len() > 6 {
        return;
    }
    let schema = document.resolved(schema);
    let to = |step: Step| [way, &[step]].concat();
    for (field, property) in schema["properties"].as_object().into_iter().flatten() {
        let way = to(Step::Field(field.clone()));
        if field.ends_with("_id") {
            found.push(way);
        } else if field.ends_with("_ids") {
            found.push([way, vec![Step::Item]].concat());
        } else {
            references(document, property, &way, found);
        }
    }
    if !schema["items"].is_null() {
        references(document, &schema["items"], &to(Step::Item), found);
    }
    for variant in ["allOf", "anyOf", "oneOf"].iter().filter_map(|word| schema[word].as_array()).flatten() {
        references(document, variant, way, found);
    }
}

/// The body with `id` at the end of the way.
fn pointed(body: Value, way: &[Step], id: i64) -> Value {
    match way.split_first() {
        None => json!(id),
        Some((Step::Item, rest)) => {
            let first = body.get(0).cloned().unwrap_or(Value::Null);
            json!([pointed(first, rest, id)])
        }
        Some((Step::Field(field), rest)) => {
            let mut body = if body.is_object() { body } else { json!({}) };
            let inner = body[field].take();
            body[field] = pointed(inner, rest, id);
            body
        }
    }
}

/// The name of the field that points, and what one of its things is called.
fn pointing(way: &[Step]) -> (&str, String) {
    let mut fields =
        way.iter().filter_map(|step| if let Step::Field(name) = step { Some(name.as_str()) } else { None });
    let field = fields.next_back().unwrap();
    (field, field.strip_suffix('s').unwrap_or(field).to_owned())
}

/// A request that points somewhere.
struct Pointer {
    route: &'static Route,
    field: String,
    thing: String,
    place: Place,
}

enum Place {
    Body(Vec<Step>),
    Form,
    Query,
}

impl Pointer {
    /// Every one that the document knows.
    fn all(document: &Document) -> Vec<Self> {
        let mut all = Vec::new();
        for route in ROUTES {
            let mut ways = Vec::new();
            for (kind, schema) in document.bodies(route) {
                ways.clear();
                references(document, schema, &[], &mut ways);
                for way in &ways {
                    let (field, thing) = pointing(way);
                    let place = if kind == "application/json" { Place::Body(way.clone()) } else { Place::Form };
                    all.push(Self { route, field: field.to_owned(), thing, place });
                }
            }
            // The app itself is the subject of `tenancy`, and what is above all apps sees all of them.
            let in_query = document.numbers_in_query(route).into_iter().filter(|field| field.ends_with("_id"));
            for field in in_query.filter(|field| *field != "app_id" && route.access().reach != Reach::Platform) {
                all.push(Self { route, field: field.to_owned(), thing: field.to_owned(), place: Place::Query });
            }
        }
        all
    }

    /// Whether it only says which of the caller's own things are wanted: of what is another's there are none.
    fn is_a_wish(&self) -> bool {
        match self.place {
            Place::Query => self.route.method.is_safe(),
            // The part of a silo's documents that is searched, counted or removed.
            Place::Body(_) => self.field == "document_ids",
            Place::Form => false,
        }
    }

    async fn send(&self, client: &Client, ids: Ids, id: i64) -> Answer {
        let at = target(self.route, ids);
        let request = |at: &str| client.request(self.route.method.as_str(), at).header("accept", "application/json");
        match &self.place {
            Place::Body(way) => {
                let example = body(self.route, ids).unwrap_or_else(|| json!({}));
                request(&at).json(&pointed(example, way, id)).send().await
            }
            Place::Form => {
                let field: &'static str = self.field.clone().leak();
                let files = self.route.example().files;
                let files: Vec<_> = files.iter().map(|file| (file.field, file.name, file.content.as_bytes())).collect();
                request(&at).form(&[("message", "Hello"), (field, &id.to_string())], &files).send().await
            }
            Place::Query => call_at(client, self.route, ids, &join(&at, &format!("{}={id}", self.field))).send().await,
        }
    }
}

/// An answer without the number that an error repeats, and without its length, which tells how long the number is.
fn unnumbered(answer: &Answer, id: i64) -> String {
    let told = answer.bytes();
    let (head, body) = told.split_once("\n\n").unwrap();
    let head = head.lines().filter(|line| !line.starts_with("content-length")).collect::<Vec<_>>().join("\n");
    let words = body.split(' ').map(|word| if word == id.to_string() { "#" } else { word });
    format!("{head}\n\n{}", words.collect::<Vec<_>>().join(" "))
}

#[tokio::test]
async fn what_is_another_tenants_is_refused_by_name_and_answers_like_what_does_not_exist() {
    let api = TestApi::start().await;
    let cast = Cast::gather(&api).await;
    let ours = Ids::make(&cast.owner, cast.app).await;
    let theirs = Ids::make(&cast.neighbour, cast.other_app).await;
    let elsewhere = Ids::make(&cast.owner, cast.another_app(&api).await).await;
    let document = Document::of(&api).await;
    let pointers = Pointer::all(&document);
    let before = api.database().snapshot().await;
    let mut tried = BTreeSet::new();
    for pointer in &pointers {
        let client = if pointer.route.access().reach == Reach::Platform { &cast.omniadmin } else { &cast.owner };
        let (route, field) = (name(pointer.route), &pointer.field);
        let unknown = pointer.send(client, ours, UNKNOWN).await;
        for foreign in [theirs, elsewhere] {
            // What is the caller's own in another app of theirs may be wished for where it is only looked at.
            let is_own = pointer.route.method.is_safe() && pointer.is_a_wish() && foreign.app == elsewhere.app;
            if is_own {
                continue;
            }
            let id = foreign.parameter(pointer.route.path, &pointer.thing);
            let answer = pointer.send(client, ours, id).await;
            let names_it = answer.status == 400 && answer.detail().contains(field.as_str());
            let is_refused = names_it || answer.status == 404 || pointer.is_a_wish();
            assert!(is_refused, "{route} with a foreign {field}: {answer}");
            assert_eq!(unnumbered(&answer, id), unnumbered(&unknown, UNKNOWN), "{route} with a foreign {field}");
        }
        let is_refused = matches!(unknown.status, 400 | 404) || pointer.is_a_wish();
        assert!(is_refused, "{route} with a {field} that nothing has: {unknown}");
        tried.insert((route, field.clone()));
    }
    let wanted: BTreeSet<_> = pointers.iter().map(|pointer| (name(pointer.route), pointer.field.clone())).collect();
    assert_eq!(tried, wanted);
    for known in ["service_id", "silo_id", "embedding_service_id", "repository_id", "folder_id", "conversation_id"] {
        assert!(tried.iter().any(|(_, field)| field == known), "no request points by `{known}`");
    }
    assert!(api.database().snapshot().await == before);
}

#[test]
fn every_reference_in_a_schema_is_found() {
    let document = Document(json!({ "components": { "Step": { "properties": { "tool_id": {} } } } }));
    let schema = json!({ "properties": {
        "service_id": {},
        "skill_ids": {},
        "name": {},
        "steps": { "items": { "$ref": "#/components/Step" } },
        "memory": { "oneOf": [{ "type": "null" }, { "properties": { "silo_id": {} } }] },
    } });
    let mut found = Vec::new();
    references(&document, &schema, &[], &mut found);
    let bodies: Vec<Value> = found.iter().map(|way| pointed(json!({}), way, 7)).collect();
    let wanted = [
        json!({ "service_id": 7 }),
        json!({ "skill_ids": [7] }),
        json!({ "steps": [{ "tool_id": 7 }] }),
        json!({ "memory": { "silo_id": 7 } }),
    ];
    assert_eq!(bodies, wanted);
}
