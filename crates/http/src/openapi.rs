use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::error::role_sentence;
use crate::route::Description;
use crate::{Described, Plane, Reach, RouteSpec, Router};

/// An OpenAPI 3.1 document.
#[derive(Debug, Clone)]
pub struct Document(Value);

impl Document {
    /// The document as JSON, with its keys in a fixed order, so that two of the same table are equal to the byte.
    #[must_use]
    pub fn to_json(&self) -> String {
        // A `Value` always writes: its keys are strings.
        serde_json::to_string_pretty(&self.0).unwrap_or_default()
    }

    /// The document as a value.
    #[must_use]
    pub const fn value(&self) -> &Value {
        &self.0
    }
}

/// Writes the OpenAPI document of a router's tables.
#[must_use]
pub fn document<P: Plane>(router: &Router<P>) -> Document {
    let mut paths: BTreeMap<&str, Map<String, Value>> = BTreeMap::new();
    let mut schemas: BTreeMap<String, Value> = BTreeMap::new();
    for line in router.routes() {
        let description = line.description();
        for (name, schema) in &description.schemas {
            schemas.entry(name.clone()).or_insert_with(|| json!(schema));
        }
        let operation = operation(line, &description);
        paths.entry(line.path).or_default().insert(line.method.as_str().to_lowercase(), operation);
    }
    schemas.insert("Error".to_owned(), P::error_schema());
    Document(json!({
        "openapi": "3.1.0",
        "info": {
            "title": P::TITLE,
            "version": env!("CARGO_PKG_VERSION"),
            "license": { "name": "MIT OR Apache-2.0" },
        },
        "servers": [{ "url": "/" }],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": security_schemes(router),
        },
    }))
}

/// The ways in that the tables' lines take.
fn security_schemes<P: Plane>(router: &Router<P>) -> Value {
    if router.routes().any(|line| line.access().reach == Reach::Key) {
        return json!({
            "api_key": { "type": "apiKey", "in": "header", "name": "X-API-KEY" },
            "bearer": { "type": "http", "scheme": "bearer" },
        });
    }
    json!({ "session": { "type": "apiKey", "in": "cookie", "name": "session" } })
}

fn operation<P: Plane>(line: &RouteSpec<P>, description: &Description) -> Value {
    let access = line.access();
    let example = line.example();
    let mut parameters: Vec<Value> = description.parameters.iter().map(|parameter| json!(parameter)).collect();
    parameters.extend(app_parameter(access.reach));
    let mut operation = json!({
        "operationId": operation_id(line),
        "tags": [line.section],
        "summary": line.summary,
        "description": text(line, access),
        "parameters": parameters,
        "responses": responses(line, description, example.reply.as_ref()),
        "security": match access {
            Described { reach: Reach::Key, .. } => json!([{ "api_key": [] }, { "bearer": [] }]),
            Described { lowest: Some(_), .. } => json!([{ "session": [] }]),
            Described { lowest: None, .. } => json!([]),
        },
    });
    if let Some(body) = &description.body {
        let mut body = json!(body);
        if let (Some(example), Some(content)) = (example.body, body.pointer_mut("/content/application~1json")) {
            insert(content, "example", example);
        }
        insert(&mut operation, "requestBody", body);
    }
    operation
}

/// A name for generated clients: the method and the path's words, `get_internal_agents_agent_id`.
fn operation_id<P: Plane>(line: &RouteSpec<P>) -> String {
    let words = line.path.split(['/', '{', '}', '-']).filter(|word| !word.is_empty());
    std::iter::once(line.method.as_str().to_lowercase()).chain(words.map(str::to_owned)).collect::<Vec<_>>().join("_")
}

fn text<P: Plane>(line: &RouteSpec<P>, access: Described) -> String {
    let who = match (access.lowest, access.reach) {
        (None, Reach::Key) => "Takes one of the app's API keys, in `X-API-KEY` or as a Bearer token.".to_owned(),
        (None, _) => "Takes no sign-in.".to_owned(),
        (Some(_), Reach::Invitation) => "For the invited person.".to_owned(),
        (Some(role), Reach::Platform) => format!("Takes the role {}.", role_sentence(role)),
        (Some(role), _) => format!("Takes the role {} in the app.", role_sentence(role)),
    };
    if line.details.is_empty() { who } else { format!("{}\n\n{who}", line.details) }
}

/// `?app_id=` as the access rule reads it: no handler does, so no endpoint describes it.
fn app_parameter(reach: Reach) -> Option<Value> {
    let parameter = |required: bool, description: &str| {
        json!({
            "name": "app_id",
            "in": "query",
            "required": required,
            "description": description,
            "schema": { "type": "integer", "format": "int64" },
        })
    };
    match reach {
        Reach::Nowhere | Reach::Platform | Reach::AppByPath | Reach::Key | Reach::Invitation => None,
        Reach::AppByQuery => Some(parameter(true, "The app.")),
        Reach::AppOfThing | Reach::AppOfQueried(_) => {
            Some(parameter(false, "The app; may be left out, and must match if it is given."))
        }
        Reach::AppOrMine => Some(parameter(false, "Only what is of this app.")),
    }
}

fn responses<P: Plane>(line: &RouteSpec<P>, description: &Description, example: Option<&Value>) -> Value {
    let mut success = json!(description.reply);
    if let (Some(example), Some(content)) = (example, success.pointer_mut("/content/application~1json")) {
        insert(content, "example", example.clone());
    }
    let error = |description: &str| {
        json!({
            "description": description,
            "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Error" } } },
        })
    };
    let access = line.access();
    let mut responses = Map::new();
    responses.insert(line.success.to_string(), success);
    responses.insert("400".into(), error("The request is wrong; the text names the field"));
    if access.lowest.is_some() {
        responses.insert("401".into(), error("Not signed in"));
        responses.insert("403".into(), error("The role is too low, or the request comes from another site"));
    }
    if access.reach == Reach::Key {
        responses.insert("401".into(), error("No API key, or one that opens nothing"));
        responses.insert("403".into(), error("The account of the app's owner is deactivated"));
        responses
            .insert("429".into(), error("The key has used up what it takes a minute, or too many keys were wrong"));
    }
    if line.path.contains('{') || matches!(access.reach, Reach::AppByQuery | Reach::AppOfQueried(_) | Reach::AppOrMine)
    {
        responses.insert("404".into(), error("Not found, or not for the caller to see"));
    }
    if !line.method.is_safe() {
        responses.insert("409".into(), error("It contradicts what is stored"));
    }
    if description.body.is_some() {
        responses.insert("413".into(), error("The body is too large"));
        responses.insert("415".into(), error("The body is of a type that is not read here"));
    }
    responses.insert("503".into(), error("A dependency is away; try again"));
    Value::Object(responses)
}

fn insert(into: &mut Value, key: &str, value: Value) {
    if let Some(object) = into.as_object_mut() {
        object.insert(key.to_owned(), value);
    }
}
