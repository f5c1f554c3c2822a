//! The contract's own examples, asked of the real server and of the document that describes it.

use omni_api_workspace::ROUTES;
use omni_scripted_model::ScriptedModel;
use omni_testkit::TestApi;
use serde_json::{Value, json};

use crate::openapi::Document;
use crate::scene::{Ids, call, name, performer};

/// The fields that the contract's examples show: method, path, fields of the request, fields of the answer.
const SHOWN: &[(&str, &str, &[&str], &[&str])] = &[
    ("GET", "/internal/apps", &[], &["app_id", "name", "slug", "owner_id", "create_date"]),
    (
        "POST",
        "/internal/agents",
        &["name", "description", "system_prompt", "service_id", "silo_id", "temperature"],
        &["agent_id", "name", "app_id"],
    ),
    (
        "POST",
        "/internal/ai_services",
        &["name", "provider", "model", "api_key", "temperature", "max_tokens"],
        &["service_id", "name", "provider", "model"],
    ),
    (
        "POST",
        "/internal/silos",
        &["name", "description", "vector_db_type", "embedding_service_id", "retrieval_count"],
        &["silo_id", "name", "app_id"],
    ),
    ("GET", "/internal/version", &[], &["version", "environment", "python_version"]),
];

#[tokio::test]
async fn the_document_has_the_fields_that_the_contract_shows() {
    let api = TestApi::start().await;
    let document = Document::of(&api).await;
    for (method, path, sent, answered) in SHOWN {
        let route = ROUTES.iter().find(|route| route.method.as_str() == *method && route.path == *path).unwrap();
        let fields = document.fields(route);
        for field in *sent {
            assert!(fields.iter().any(|(known, ..)| known == field), "{method} {path} reads no `{field}`");
        }
        for field in *answered {
            assert!(!document.reply(route)["properties"][field].is_null(), "{method} {path} answers no `{field}`");
        }
    }
}

#[tokio::test]
async fn answers_have_the_fields_that_the_document_promises() {
    let api = TestApi::start().await;
    let document = Document::of(&api).await;
    let person = api.client("ada@example.com").await;
    let mut compared = 0;
    for route in ROUTES {
        let ids = Ids::make(&person, person.create_app("An app").await).await;
        let schema = document.reply(route);
        let Some(properties) = schema["properties"].as_object() else { continue };
        let client = performer(&api, &person, route, ids).await;
        let call = call(&client, route, ids).header("accept", "application/json");
        let answer = call.send().await.expect(route.success);
        let one = answer.as_array().map_or(&answer, |list| &list[0]);
        let flattened = schema["allOf"].is_array();
        let mut said: Vec<&String> = one.as_object().unwrap().keys().collect();
        let mut promised: Vec<&String> = properties.keys().collect();
        said.sort();
        promised.sort();
        assert!(flattened || said == promised, "{}: says {said:?}, promises {promised:?}", name(route));
        compared += 1;
    }
    assert!(compared > 15, "only {compared} routes could be compared");
}

#[tokio::test]
async fn list_apps() {
    let api = TestApi::start().await;
    let person = api.client("ada@example.com").await;
    let app = person.create_app("My Workspace").await;
    let answer = person.get("/internal/apps").send().await;
    let apps = answer.expect(200);
    assert_eq!(apps.as_array().unwrap().len(), 1);
    assert_eq!(apps[0]["app_id"], json!(app));
    assert_eq!((&apps[0]["name"], &apps[0]["slug"]), (&json!("My Workspace"), &json!("my-workspace")));
    assert_eq!(apps[0]["owner_id"], json!(person.user_id));
    assert_eq!(apps[0]["create_date"], json!("2026-01-15T12:00:20Z"));
    assert_eq!(answer.header("x-total-count"), Some("1"));
}

#[tokio::test]
async fn create_an_ai_service_and_an_agent_that_uses_it() {
    let api = TestApi::start().await;
    let person = api.client("ada@example.com").await;
    let app = person.create_app("My Workspace").await;
    let service = json!({
        "name": "GPT-4 Service",
        "provider": "openai",
        "model": "gpt-4-turbo",
        "api_key": "sk-0123456789abcdef",
        "temperature": 0.7,
        "max_tokens": 4096,
    });
    let made = person.post(&format!("/internal/ai_services?app_id={app}")).json(&service).send().await.expect(201);
    assert_eq!((&made["app_id"], &made["api_key"]), (&json!(app), &json!("****cdef")));
    for field in ["name", "provider", "model", "temperature", "max_tokens"] {
        assert_eq!(made[field], service[field], "{field}");
    }
    let agent = json!({
        "name": "Customer Support Bot",
        "description": "Answers customer questions",
        "system_prompt": "You are a helpful assistant.",
        "service_id": made["service_id"],
        "temperature": 0.7,
    });
    let made = person.post(&format!("/internal/agents?app_id={app}")).json(&agent).send().await.expect(201);
    assert!(made["agent_id"].is_i64());
    for field in ["name", "description", "system_prompt", "service_id", "temperature"] {
        assert_eq!(made[field], agent[field], "{field}");
    }
    let again = person.get(&format!("/internal/agents/{}", made["agent_id"])).send().await.expect(200);
    assert_eq!(again, made);
}

#[tokio::test]
async fn earlier_names_of_fields_are_read_too() {
    let api = TestApi::start().await;
    let person = api.client("ada@example.com").await;
    let app = person.create_app("My Workspace").await;
    let service = json!({
        "name": "Home",
        "provider": "OpenAI",
        "model_name": "llama",
        "endpoint": "http://127.0.0.1:11434/v1",
        "api_key": "none-needed",
    });
    let made = person.post(&format!("/internal/ai_services?app_id={app}")).json(&service).send().await.expect(201);
    assert_eq!((&made["provider"], &made["model"]), (&json!("openai"), &json!("llama")));
    assert_eq!(made["base_url"], json!("http://127.0.0.1:11434/v1"));
}

#[tokio::test]
async fn chat_with_an_agent() {
    let api = TestApi::start().await;
    let model = ScriptedModel::start().await.unwrap();
    let person = api.client("ada@example.com").await;
    let app = person.create_app("My Workspace").await;
    let agent = person.create_scripted_agent(app, &model, "says:To reset your password").await;
    let call = person
        .post(&format!("/internal/agents/{agent}/chat?app_id={app}"))
        .form(&[("message", "How do I reset my password?")], &[("files", "screenshot.png", b"\x89PNG\x00")]);
    let events = call.stream().await.rest().await;
    let tokens: Vec<&Value> = events.iter().filter(|event| event.kind() == "token").map(|event| &event.data).collect();
    assert_eq!(tokens[0], &json!({ "type": "token", "content": "To " }));
    let said: String = tokens.iter().filter_map(|token| token["content"].as_str()).collect();
    assert_eq!(said, "To reset your password");
    assert_eq!(events.last().map(|event| event.kind().to_owned()).as_deref(), Some("done"));
}

#[tokio::test]
async fn version() {
    let api = TestApi::start().await;
    let version = api.anonymous().get("/internal/version").send().await.expect(200);
    assert_eq!(version["version"], json!(env!("CARGO_PKG_VERSION")));
    assert_eq!((&version["environment"], &version["python_version"]), (&json!("development"), &Value::Null));
    assert!(version["rust_version"].as_str().is_some_and(|version| version.starts_with("1.")));
    let elsewhere = TestApi::builder().not_fake().start().await;
    let version = elsewhere.anonymous().get("/internal/version").send().await.expect(200);
    assert_eq!(version["environment"], json!("production"));
}

#[tokio::test]
async fn long_lists_come_in_pages() {
    let api = TestApi::start().await;
    let person = api.client("ada@example.com").await;
    let app = person.create_app("My Workspace").await;
    let agent = person.create_agent(app, "Bot", None).await;
    for _ in 0..3 {
        let body = json!({ "message": "Hello", "new_conversation": true });
        let chat = person.post(&format!("/internal/agents/{agent}/chat")).header("accept", "application/json");
        chat.json(&body).send().await.expect(200);
    }
    let page = person.get("/internal/conversations?page=2&per_page=2").send().await.expect(200);
    assert_eq!(page["items"].as_array().unwrap().len(), 1);
    for (field, value) in [("total", 3), ("page", 2), ("per_page", 2), ("pages", 2)] {
        assert_eq!(page[field], json!(value), "{field}");
    }
    let usual = person.get("/internal/conversations").send().await.expect(200);
    assert_eq!((&usual["per_page"], &usual["page"]), (&json!(30), &json!(1)));

    for name in ["a", "b", "c"] {
        person.create_agent(app, name, None).await;
    }
    let answer = person.get(&format!("/internal/agents?app_id={app}&page=2&per_page=2")).send().await;
    assert_eq!(answer.expect(200).as_array().unwrap().len(), 2);
    assert_eq!(answer.header("x-total-count"), Some("4"));
    let link = answer.header("link").unwrap();
    assert!(link.contains("rel=\"prev\"") && link.contains("page=1"), "{link}");
}
