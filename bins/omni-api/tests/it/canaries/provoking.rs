//! Failures of both planes in FAKE mode, of every kind that a caller, a provider or the database can bring about.

use omni_api_control::ROUTES as CONTROL;
use omni_api_workspace::ROUTES as WORKSPACE;
use omni_scripted_model::ScriptedModel;
use omni_testkit::{Call, Client, PROVIDER_KEY};
use serde_json::{Value, json};

use crate::canaries::heard::Heard;
use crate::canaries::setting::{BEARER, CALLERS_KEY, SESSION, SPAWN_TOKEN, Setting, URL_PASSWORD};

const JSON: &str = "application/json";
/// Providers that fail; the first two quote the key that they were sent.
const SCRIPTS: &[&str] = &[
    "error-401",
    "error-400",
    "error-402",
    "error-403",
    "error-404",
    "error-429",
    "error-500",
    "error-503",
    "fail-after-3",
    "cut-after-3",
    "end-after-3",
    "garbage",
];

pub(crate) async fn provoke(setting: &Setting, level: &str, heard: &mut Heard, said: &mut Vec<String>) {
    let program = setting.start(level, &[("OMNI_AUTH_MODE", "fake")]).await;
    let person = Client::signed_in(program.http().to_owned(), "owner@example.com").await;
    heard.learn("session", person.cookie().unwrap().split_once('=').unwrap().1);
    let (stranger, neighbour) = (program.stranger(), program.neighbour());

    by_workspace_callers(&person, &stranger.with_cookie(Some(&format!("session={SESSION}"))), heard).await;
    by_providers(&person, heard).await;
    by_secrets_in_wrong_places(&person, heard).await;
    by_control_callers(&neighbour, heard).await;
    for client in [&stranger, &neighbour] {
        heard.note(&client.get("/metrics").send().await);
    }

    setting.sql("ALTER TABLE services RENAME TO services_elsewhere").await;
    setting.sql("ALTER TABLE ai_services RENAME TO ai_services_elsewhere").await;
    by_a_broken_schema(&person, &neighbour, heard).await;
    setting.sql("ALTER TABLE services_elsewhere RENAME TO services").await;
    setting.sql("ALTER TABLE ai_services_elsewhere RENAME TO ai_services").await;

    setting.allow_connections(false).await;
    by_a_database_that_is_away(&person, &neighbour, heard).await;
    setting.allow_connections(true).await;
    said.push(program.stop().await);
}

/// A route of either table as a request for something that does not exist.
fn unknown(client: &Client, method: &str, path: &str) -> Call {
    let segments = path.split('/').map(|segment| if segment.starts_with('{') { "999999999" } else { segment });
    let path = segments.collect::<Vec<_>>().join("/");
    let call = client.request(method, &format!("{path}?app_id=999999999"));
    call.header("authorization", &format!("Bearer {BEARER}")).header("x-api-key", CALLERS_KEY)
}

async fn by_workspace_callers(person: &Client, stranger: &Client, heard: &mut Heard) {
    let torn = format!("{{ \"api_key\": \"{PROVIDER_KEY}\", \"name\": ");
    for route in WORKSPACE {
        // Each of these ends the session that it is called with, which is needed on.
        if ["/login", "/dev-login", "/logout"].iter().any(|end| route.path.ends_with(end)) {
            continue;
        }
        let asked = |client| unknown(client, route.method.as_str(), route.path);
        heard.send(asked(stranger).json(&json!({}))).await;
        heard.send(asked(person).json(&json!({ "api_key": { "is": PROVIDER_KEY } }))).await;
        heard.send(asked(person).body(JSON, torn.clone())).await;
        heard.send(asked(person).body("text/plain", torn.clone())).await;
        heard.send(asked(person).header("content-encoding", "gzip").body(JSON, torn.clone())).await;
        heard.send(asked(person).header("sec-fetch-site", "cross-site").body(JSON, torn.clone())).await;
        heard.fail(unknown(person, "PATCH", route.path).body(JSON, torn.clone())).await;
    }
}

async fn by_providers(person: &Client, heard: &mut Heard) {
    let model = ScriptedModel::start().await.unwrap();
    let app = person.create_app("Failing").await;
    let key = person.post(&format!("/internal/api_keys?app_id={app}")).json(&json!({ "name": "A key" }));
    heard.learn("app's API key", key.send().await.expect(201)["key"].as_str().unwrap());
    for script in SCRIPTS {
        let agent = person.create_scripted_agent(app, &model, script).await;
        let chat = format!("/internal/agents/{agent}/chat");
        let message = json!({ "message": "Hello" });
        heard.fail(person.post(&chat).header("accept", JSON).json(&message)).await;
        heard.note_stream(&person.chat(agent, "Hello").await.rest().await);
    }
    let bearer = format!("Bearer {PROVIDER_KEY}");
    let quotable = model.requests().iter().all(|request| request.header("authorization") == Some(&bearer));
    assert!(quotable, "the providers have the key to quote");
}

async fn by_secrets_in_wrong_places(person: &Client, heard: &mut Heard) {
    let app = person.create_app("Confused").await;
    for url in [
        format!("https://omni:{URL_PASSWORD}@example.com/v1"),
        format!("http://omni:{URL_PASSWORD}@127.0.0.1:9/v1"),
        format!("https://omni:{URL_PASSWORD}@169.254.169.254/v1"),
        format!("postgres://omni:{URL_PASSWORD}@example.com/"),
        format!("https://omni:{URL_PASSWORD}@exa mple.com/"),
    ] {
        let service = json!({
            "name": "A service", "provider": "openai", "model": "m", "base_url": url,
            "api_key": PROVIDER_KEY,
        });
        heard.fail(person.post(&format!("/internal/ai_services?app_id={app}")).json(&service)).await;
    }
    for misplaced in ["temperature", "max_tokens"] {
        let service = json!({ "name": "A service", "provider": "openai", "model": "m", misplaced: PROVIDER_KEY });
        heard.fail(person.post(&format!("/internal/ai_services?app_id={app}")).json(&service)).await;
    }
}

fn registration(pid: u32) -> Value {
    json!({ "name": "discord", "type": "channel", "pid": pid, "metadata": { "spawnToken": SPAWN_TOKEN } })
}

async fn by_control_callers(neighbour: &Client, heard: &mut Heard) {
    let register = || neighbour.post("/api/v2/_internal/services/register");
    let registered = register().json(&registration(1)).send().await.expect(200);
    let goodbye = json!({ "serviceId": registered["serviceId"] });
    neighbour.post("/api/v2/_internal/services/deregister").json(&goodbye).send().await.expect(200);
    let again = heard.fail(register().json(&registration(1))).await;
    assert_eq!(again.status, 410, "{again}");
    heard.fail(neighbour.post("/api/v2/_internal/services/heartbeat").json(&goodbye)).await;

    for misplaced in ["pid", "port", "type", "metadata", "healthEndpoint", "capabilities"] {
        let mut body = registration(1);
        body[misplaced] = json!(SPAWN_TOKEN);
        heard.fail(register().json(&body)).await;
    }

    let torn = format!("{{ \"metadata\": {{ \"spawnToken\": \"{SPAWN_TOKEN}\" }}, ");
    for route in CONTROL {
        let asked = || unknown(neighbour, route.method.as_str(), route.path);
        for (name, value) in [
            ("host", "evil.example"),
            ("origin", "https://evil.example"),
            ("sec-fetch-site", "cross-site"),
            ("x-forwarded-for", "203.0.113.9"),
            ("forwarded", "for=_hidden"),
        ] {
            heard.fail(asked().header(name, value).json(&registration(1))).await;
        }
        heard.send(asked().body(JSON, torn.clone())).await;
        heard.send(asked().body("text/plain", torn.clone())).await;
        heard.send(asked().json(&json!({ "name": { "is": SPAWN_TOKEN }, "serviceId": [SPAWN_TOKEN] }))).await;
        heard.fail(unknown(neighbour, "PATCH", route.path).json(&registration(1))).await;
    }
}

/// Failures that are ours to mend: the control plane has one body for them, to the letter.
async fn by_a_broken_schema(person: &Client, neighbour: &Client, heard: &mut Heard) {
    let unknown_service = json!({ "serviceId": format!("svc_discord_{:032x}", 1), "status": "healthy" });
    for (path, body) in
        [("register", &registration(2)), ("heartbeat", &unknown_service), ("deregister", &unknown_service)]
    {
        let answer = heard.fail(neighbour.post(&format!("/api/v2/_internal/services/{path}")).json(body)).await;
        assert_eq!(answer.status, 500, "{answer}");
        assert_eq!(answer.body, r#"{"error":"Internal error","code":"INTERNAL_ERROR"}"#);
    }
    let app = person.create_app("Broken").await;
    let answer = heard.fail(person.get(&format!("/internal/ai_services?app_id={app}"))).await;
    assert_eq!(answer.status, 500, "{answer}");
}

async fn by_a_database_that_is_away(person: &Client, neighbour: &Client, heard: &mut Heard) {
    for route in WORKSPACE {
        heard.send(unknown(person, route.method.as_str(), route.path).json(&json!({ "name": "x" }))).await;
    }
    let register = neighbour.post("/api/v2/_internal/services/register").json(&registration(3));
    assert_eq!(heard.fail(register).await.status, 503);
    for route in CONTROL {
        heard.send(unknown(neighbour, route.method.as_str(), route.path).json(&registration(3))).await;
    }
}
