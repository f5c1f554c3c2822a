//! AI services: their keys go in and never come out.

use omni_scripted_model::ScriptedModel;
use omni_testkit::{Client, PROVIDER_KEY, TestApi};
use serde_json::{Value, json};

const MASK: &str = "****0001";

struct Place {
    api: TestApi,
    model: ScriptedModel,
    owner: Client,
    app: i64,
    service: i64,
    agent: i64,
}

impl Place {
    async fn open() -> Self {
        let api = TestApi::start().await;
        let model = ScriptedModel::start().await.unwrap();
        let owner = api.client("owner@example.com").await;
        let app = owner.create_app("Our app").await;
        let service = owner.create_service(app, &model, "tokens-3").await;
        let agent = owner.create_agent(app, "Bot", Some(service)).await;
        Self { api, model, owner, app, service, agent }
    }

    fn item(&self) -> String {
        format!("/internal/ai_services/{}", self.service)
    }

    async fn update(&self, change: Value) -> Value {
        self.owner.put(&self.item()).json(&change).send().await.expect(200)
    }

    /// The key that the provider is sent when somebody chats.
    async fn key_sent(&self) -> Option<String> {
        self.owner.ask(self.agent, "Hello").await.expect(200);
        let requests = self.model.requests();
        requests.last().unwrap().header("authorization").map(|value| value.trim_start_matches("Bearer ").to_owned())
    }
}

#[tokio::test]
async fn a_key_is_masked_wherever_it_is_read() {
    let place = Place::open().await;
    assert_eq!(place.owner.get(&place.item()).send().await.expect(200)["api_key"], json!(MASK));
    let list = place.owner.get(&format!("/internal/ai_services?app_id={}", place.app)).send().await.expect(200);
    assert_eq!(list[0]["api_key"], json!(MASK));
    assert_eq!(place.key_sent().await.as_deref(), Some(PROVIDER_KEY));
}

#[tokio::test]
async fn a_key_is_in_no_table() {
    let place = Place::open().await;
    place.key_sent().await;
    let sql = place.api.database().sql().await;
    let tables = sql
        .query("SELECT table_name::text FROM information_schema.tables WHERE table_schema = 'public'", &[])
        .await
        .unwrap();
    assert!(tables.len() >= 10);
    for table in tables.iter().map(|row| row.get::<_, String>(0)) {
        let hex: String = PROVIDER_KEY.bytes().map(|byte| format!("{byte:02x}")).collect();
        let found =
            format!("SELECT FROM \"{table}\" t WHERE t::text LIKE '%{PROVIDER_KEY}%' OR t::text LIKE '%{hex}%'");
        assert!(!sql.any(&found).await, "the key is in {table}");
    }
}

#[tokio::test]
async fn a_mask_that_is_sent_back_keeps_the_key_and_so_does_silence() {
    let place = Place::open().await;
    for change in [
        json!({ "name": "Renamed", "api_key": MASK }),
        json!({ "temperature": 0.1 }),
        json!({ "api_key": "****" }),
        json!({ "model": "tokens-4", "api_key": MASK }),
    ] {
        assert_eq!(place.update(change).await["api_key"], json!(MASK));
        assert_eq!(place.key_sent().await.as_deref(), Some(PROVIDER_KEY));
    }
}

#[tokio::test]
async fn a_new_key_replaces_the_old_one_and_an_empty_one_removes_it() {
    let place = Place::open().await;
    assert_eq!(place.update(json!({ "api_key": "sk-another-key-9999" })).await["api_key"], json!("****9999"));
    assert_eq!(place.key_sent().await.as_deref(), Some("sk-another-key-9999"));
    // A server of one's own may take no key at all.
    for none in [json!(""), json!(null), json!("CHANGE_ME")] {
        place.update(json!({ "api_key": PROVIDER_KEY })).await;
        assert_eq!(place.update(json!({ "api_key": none })).await["api_key"], json!(null));
        assert_eq!(place.key_sent().await, None);
    }
}

#[tokio::test]
async fn a_key_goes_nowhere_but_where_it_was_entered_for() {
    let place = Place::open().await;
    let elsewhere = ScriptedModel::start().await.unwrap();
    let base_url = format!("{}v1", elsewhere.base_url());
    for change in [
        json!({ "base_url": base_url }),
        json!({ "endpoint": base_url }),
        json!({ "base_url": base_url, "api_key": MASK }),
        json!({ "provider": "mistral" }),
        json!({ "base_url": null }),
    ] {
        let answer = place.owner.put(&place.item()).json(&change).send().await;
        assert!(answer.refusal(400).starts_with("api_key: enter it again"), "{change}");
    }
    place.key_sent().await;
    assert_eq!(elsewhere.tally().connections, 0);
    place.update(json!({ "base_url": base_url, "api_key": "sk-for-the-other-0002" })).await;
    place.owner.ask(place.agent, "Hello").await.expect(200);
    assert_eq!(elsewhere.requests()[0].header("authorization"), Some("Bearer sk-for-the-other-0002"));
}

#[tokio::test]
async fn a_service_in_use_says_by_whom() {
    let place = Place::open().await;
    place.owner.create_agent(place.app, "Second bot", Some(place.service)).await;
    let before = place.api.database().snapshot().await;
    let detail = place.owner.delete(&place.item()).send().await.refusal(409);
    assert!(detail.contains("Bot") && detail.contains("Second bot"), "{detail}");
    assert!(place.api.database().snapshot().await == before);
    let agents = place.owner.get(&format!("/internal/agents?app_id={}", place.app)).send().await.expect(200);
    for agent in agents.as_array().unwrap() {
        let path = format!("/internal/agents/{}", agent["agent_id"]);
        place.owner.put(&path).json(&json!({ "service_id": null })).send().await.expect(200);
    }
    place.owner.delete(&place.item()).send().await.expect(200);
    place.owner.get(&place.item()).send().await.refusal(404);
    place.owner.delete(&place.item()).send().await.refusal(404);
}

#[tokio::test]
async fn a_sealed_key_opens_in_no_other_row() {
    let place = Place::open().await;
    let other = place.owner.create_service(place.app, &place.model, "tokens-4").await;
    let agent = place.owner.create_agent(place.app, "Thief", Some(other)).await;
    let sql = place.api.database().sql().await;
    let swap = "UPDATE ai_services SET api_key_sealed = (SELECT api_key_sealed FROM ai_services WHERE service_id = $1) \
        WHERE service_id = $2";
    sql.execute(swap, &[&place.service, &other]).await.unwrap();
    let asked = place.model.tally().started;
    let answer = place.owner.ask(agent, "Hello").await;
    assert_eq!(answer.status, 400, "{answer}");
    assert!(!answer.detail().to_lowercase().contains("seal"), "{answer}");
    assert_eq!(place.model.tally().started, asked, "the provider was asked with somebody else's key");
    assert_eq!(place.key_sent().await.as_deref(), Some(PROVIDER_KEY));
}

#[tokio::test]
async fn a_service_that_could_not_be_talked_to_is_refused_by_field() {
    let place = Place::open().await;
    let before = place.api.database().snapshot().await;
    for (field, change) in [
        ("provider", json!({ "provider": "skynet" })),
        ("base_url", json!({ "base_url": "ftp://models.example/" })),
        ("base_url", json!({ "base_url": "not a url" })),
        ("base_url", json!({ "base_url": "http://169.254.169.254/latest" })),
        ("base_url", json!({ "base_url": "http://10.0.0.1/v1" })),
        ("base_url", json!({ "base_url": "http://[::1]:1/v1" })),
        ("api_key", json!({ "api_key": "with spaces in it" })),
        ("api_key", json!({ "api_key": "clé" })),
        ("api_key", json!({ "api_key": "k".repeat(10_000) })),
        ("temperature", json!({ "temperature": 2.5 })),
        ("max_tokens", json!({ "max_tokens": 0 })),
        ("name", json!({ "name": "" })),
    ] {
        let mut body = json!({ "name": "New", "provider": "openai", "model": "m", "api_key": "sk-0123456789ab" });
        body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let path = format!("/internal/ai_services?app_id={}", place.app);
        let detail = place.owner.post(&path).json(&body).send().await.refusal(400);
        assert!(detail.starts_with(&format!("{field}: ")), "{change}: {detail}");
    }
    let masked = json!({ "name": "New", "provider": "openai", "model": "m", "api_key": MASK });
    let path = format!("/internal/ai_services?app_id={}", place.app);
    assert!(place.owner.post(&path).json(&masked).send().await.refusal(400).starts_with("api_key: is masked"));
    assert!(place.api.database().snapshot().await == before);
}

#[tokio::test]
async fn two_of_one_name_are_a_conflict_and_in_two_apps_they_are_not() {
    let place = Place::open().await;
    let body = json!({ "name": "Same", "provider": "local", "model": "local" });
    let path = format!("/internal/ai_services?app_id={}", place.app);
    place.owner.post(&path).json(&body).send().await.expect(201);
    assert!(place.owner.post(&path).json(&body).send().await.refusal(409).starts_with("name: "));
    assert!(
        place.owner.put(&place.item()).json(&json!({ "name": "Same" })).send().await.refusal(409).starts_with("name")
    );
    let another = place.owner.create_app("Another").await;
    place.owner.post(&format!("/internal/ai_services?app_id={another}")).json(&body).send().await.expect(201);
}
