//! The OpenAPI document that the server gives out, read the way a test needs it.

use omni_testkit::TestApi;
use serde_json::{Map, Value, json};

use crate::scene::Route;

/// The document.
#[derive(Debug)]
pub(crate) struct Document(pub(crate) Value);

impl Document {
    pub(crate) async fn of(api: &TestApi) -> Self {
        Self(api.anonymous().get("/docs/internal/openapi.json").send().await.expect(200))
    }

    fn operation(&self, route: &Route) -> &Value {
        &self.0["paths"][route.path][route.method.as_str().to_lowercase()]
    }

    /// A schema, with its reference followed.
    pub(crate) fn resolved<'a>(&'a self, schema: &'a Value) -> &'a Value {
        match schema["$ref"].as_str() {
            Some(reference) => self.0.pointer(reference.trim_start_matches('#')).unwrap(),
            None => schema,
        }
    }

    /// The schema of the route's JSON body, if it takes one, and whether it must be sent.
    pub(crate) fn body(&self, route: &Route) -> Option<(&Value, bool)> {
        let body = self.operation(route).get("requestBody")?;
        let schema = body.pointer("/content/application~1json/schema")?;
        Some((self.resolved(schema), body["required"] == json!(true)))
    }

    /// The schemas of all bodies that the route takes, each with its media type.
    pub(crate) fn bodies(&self, route: &Route) -> Vec<(&str, &Value)> {
        let kinds = self.operation(route)["requestBody"]["content"].as_object();
        kinds.into_iter().flatten().map(|(kind, content)| (kind.as_str(), &content["schema"])).collect()
    }

    /// The fields of the route's JSON body: name, the JSON types that it may have, whether it must be there.
    pub(crate) fn fields(&self, route: &Route) -> Vec<(String, Vec<String>, bool)> {
        let Some((schema, _)) = self.body(route) else { return Vec::new() };
        let required: Vec<&str> =
            schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let none = Map::new();
        let properties = schema["properties"].as_object().unwrap_or(&none);
        properties
            .iter()
            .map(|(name, property)| (name.clone(), types(property), required.contains(&name.as_str())))
            .collect()
    }

    /// The parameters of the route's query string that are numbers.
    pub(crate) fn numbers_in_query(&self, route: &Route) -> Vec<&str> {
        let parameters = self.operation(route)["parameters"].as_array().into_iter().flatten();
        parameters
            .filter(|parameter| {
                parameter["in"] == "query" && types(&parameter["schema"]).iter().any(|t| t == "integer")
            })
            .map(|parameter| parameter["name"].as_str().unwrap())
            .collect()
    }

    /// Whether the route can answer with a stream of events.
    pub(crate) fn streams(&self, route: &Route) -> bool {
        let status = route.success.to_string();
        self.operation(route)["responses"][&status]["content"].get("text/event-stream").is_some()
    }

    /// The schema of what the route answers when all is well.
    pub(crate) fn reply(&self, route: &Route) -> &Value {
        let status = route.success.to_string();
        let schema = &self.operation(route)["responses"][&status]["content"]["application/json"]["schema"];
        let schema = self.resolved(schema);
        if schema["type"] == "array" { self.resolved(&schema["items"]) } else { schema }
    }
}

/// The JSON types that a property may have.
fn types(property: &Value) -> Vec<String> {
    match &property["type"] {
        Value::String(only) => vec![only.clone()],
        several => several.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect(),
    }
}
