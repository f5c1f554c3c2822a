//! Embedding services: what AI services promise of keys and addresses, and that none goes away under a silo.

use omni_testkit::{Client, PROVIDER_KEY, TestApi};
use serde_json::{Value, json};

const MASK: &str = "****0001";

struct Place {
    api: TestApi,
    owner: Client,
    app: i64,
    service: i64,
}

impl Place {
    async fn open() -> Self {
        let api = TestApi::start().await;
        let owner = api.client("owner@example.com").await;
        let app = owner.create_app("Our app").await;
        let mut place = Self { api, owner, app, service: 0 };
        place.service = place.create(place.usual()).await["service_id"].as_i64().unwrap();
        place
    }

    fn usual(&self) -> Value {
        json!({
            "name": "Embeddings",
            "provider": "OpenAI",
            "model_name": "text-embedding-3-small",
            "endpoint": "http://127.0.0.1:11434/v1/",
            "api_key": PROVIDER_KEY,
            "dimensions": 512,
        })
    }

    fn collection(&self) -> String {
        format!("/internal/embedding_services?app_id={}", self.app)
    }

    fn item(&self) -> String {
        format!("/internal/embedding_services/{}", self.service)
    }

    async fn create(&self, body: Value) -> Value {
        self.owner.post(&self.collection()).json(&body).send().await.expect(201)
    }

    async fn update(&self, change: Value) -> Value {
        self.owner.put(&self.item()).json(&change).send().await.expect(200)
    }

    async fn sealed(&self) -> Option<Vec<u8>> {
        let sql = self.api.database().sql().await;
        let query = "SELECT api_key_sealed FROM embedding_services WHERE service_id = $1";
        sql.query_one(query, &[&self.service]).await.unwrap().get(0)
    }
}

#[tokio::test]
async fn it_is_kept_as_it_was_made_but_for_its_key() {
    let place = Place::open().await;
    let one = place.owner.get(&place.item()).send().await.expect(200);
    assert_eq!((&one["provider"], &one["model"]), (&json!("openai"), &json!("text-embedding-3-small")));
    assert_eq!((&one["base_url"], &one["dimensions"]), (&json!("http://127.0.0.1:11434/v1"), &json!(512)));
    assert_eq!((&one["api_key"], &one["app_id"]), (&json!(MASK), &json!(place.app)));
    let list = place.owner.get(&place.collection()).send().await.expect(200);
    assert_eq!(list, json!([one]));
    let sealed = place.sealed().await.unwrap();
    assert!(!sealed.windows(8).any(|window| PROVIDER_KEY.as_bytes().starts_with(window)));
    let local = place.create(json!({ "name": "Built in", "provider": "local" })).await;
    assert_eq!((&local["model"], &local["dimensions"]), (&json!(""), &json!(null)));
}

#[tokio::test]
async fn a_key_stays_while_it_is_not_said_otherwise_and_goes_to_no_new_address() {
    let place = Place::open().await;
    let sealed = place.sealed().await;
    for kept in [json!({ "api_key": MASK }), json!({ "name": "Renamed" }), json!({ "model": "text-embedding-3-large" })]
    {
        assert_eq!(place.update(kept).await["api_key"], json!(MASK));
        assert_eq!(place.sealed().await, sealed);
    }
    let before = place.api.database().snapshot().await;
    for moved in [
        json!({ "base_url": "http://127.0.0.1:11435/v1" }),
        json!({ "endpoint": null }),
        json!({ "provider": "mistral", "api_key": MASK }),
    ] {
        let answer = place.owner.put(&place.item()).json(&moved).send().await;
        assert!(answer.refusal(400).starts_with("api_key: enter it again"), "{moved}");
    }
    assert!(place.api.database().snapshot().await == before);
    let moved = json!({ "base_url": "http://127.0.0.1:11435/v1", "api_key": "sk-for-the-other-0002" });
    assert_eq!(place.update(moved).await["api_key"], json!("****0002"));
    assert_eq!(place.update(json!({ "api_key": null })).await["api_key"], json!(null));
    assert_eq!(place.sealed().await, None);
}

#[tokio::test]
async fn a_service_that_could_not_embed_is_refused_by_field() {
    let place = Place::open().await;
    let before = place.api.database().snapshot().await;
    for (field, change) in [
        ("provider", json!({ "provider": "skynet" })),
        ("provider", json!({ "provider": "anthropic" })),
        ("model", json!({ "model_name": null })),
        ("model", json!({ "provider": "local", "model_name": "local" })),
        ("dimensions", json!({ "dimensions": 0 })),
        ("dimensions", json!({ "dimensions": 4001 })),
        ("dimensions", json!({ "provider": "local", "model_name": null, "dimensions": 512 })),
        ("endpoint", json!({ "endpoint": 7 })),
        ("base_url", json!({ "endpoint": "ftp://models.example/" })),
        ("base_url", json!({ "endpoint": "http://169.254.169.254/latest" })),
        ("api_key", json!({ "api_key": "with spaces in it" })),
        ("api_key", json!({ "api_key": MASK })),
        ("name", json!({ "name": "" })),
    ] {
        let mut body = json!({ "name": "New", "provider": "openai", "model_name": "m", "api_key": "sk-0123456789ab" });
        body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let detail = place.owner.post(&place.collection()).json(&body).send().await.refusal(400);
        assert!(detail.starts_with(&format!("{field}: ")), "{change}: {detail}");
    }
    assert!(place.api.database().snapshot().await == before);
}

#[tokio::test]
async fn a_service_in_use_says_by_which_silos() {
    let place = Place::open().await;
    let silos = format!("/internal/silos?app_id={}", place.app);
    let body = json!({ "name": "Handbook", "embedding_service_id": place.service });
    let silo = place.owner.post(&silos).json(&body).send().await.expect(201)["silo_id"].clone();
    let repositories = format!("/internal/repositories?app_id={}", place.app);
    let body = json!({ "name": "Contracts", "embedding_service_id": place.service });
    let repository = place.owner.post(&repositories).json(&body).send().await.expect(201)["repo_id"].clone();
    let before = place.api.database().snapshot().await;
    let detail = place.owner.delete(&place.item()).send().await.refusal(409);
    assert!(detail.contains("\"Handbook\", \"Contracts\""), "{detail}");
    assert!(place.api.database().snapshot().await == before);
    let other = json!({ "embedding_service_id": null });
    place.owner.put(&format!("/internal/silos/{silo}")).json(&other).send().await.expect(200);
    place.owner.delete(&format!("/internal/repositories/{repository}")).send().await.expect(200);
    place.owner.delete(&place.item()).send().await.expect(200);
    place.owner.get(&place.item()).send().await.refusal(404);
}

#[tokio::test]
async fn two_of_one_name_are_a_conflict_and_in_two_apps_they_are_not() {
    let place = Place::open().await;
    let local = |name: &str| json!({ "name": name, "provider": "local" });
    let twice = place.owner.post(&place.collection()).json(&local("Embeddings")).send().await;
    assert_eq!(twice.refusal(409), "name: another embedding service of this app has this name");
    place.create(local("Same")).await;
    let renamed = place.owner.put(&place.item()).json(&json!({ "name": "Same" })).send().await;
    assert!(renamed.refusal(409).starts_with("name: "));
    let another = place.owner.create_app("Another").await;
    let elsewhere = format!("/internal/embedding_services?app_id={another}");
    place.owner.post(&elsewhere).json(&local("Same")).send().await.expect(201);
}
