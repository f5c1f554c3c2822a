//! A silo that is embedded anew: searched as before until all of it is done, and never by the vectors of two models.

use omni_scripted_model::{Script, ScriptedModel};
use omni_testkit::{Client, TestApi, eventually};
use serde_json::{Value, json};
use time::Duration;

struct Place {
    api: TestApi,
    owner: Client,
    app: i64,
    provider: ScriptedModel,
    silo: i64,
}

impl Place {
    /// A silo with three texts, embedded by the model that is built in.
    async fn open() -> Self {
        let api = TestApi::builder().working().start().await;
        let owner = api.client("owner@example.com").await;
        let app = owner.create_app("Our app").await;
        let body = json!({ "name": "Knowledge" });
        let made = owner.post(&format!("/internal/silos?app_id={app}")).json(&body).send().await.expect(201);
        let silo = made["silo_id"].as_i64().unwrap();
        let place = Self { api, owner, app, provider: ScriptedModel::start().await.unwrap(), silo };
        place.index("Hours", "The shop opens at nine in the morning.").await;
        place.index("Refunds", "A refund is paid within two weeks.").await;
        place.index("Parking", "There is room for three cars behind the house.").await;
        place
    }

    fn path(&self, rest: &str) -> String {
        format!("/internal/silos/{}{rest}", self.silo)
    }

    async fn index(&self, name: &str, text: &str) {
        let text = json!({ "name": name, "text": text });
        self.owner.post(&self.path("/documents")).json(&text).send().await.expect(201);
    }

    async fn service(&self, name: &str, model: &str) -> i64 {
        let body = json!({
            "name": name, "provider": "openai", "model": model,
            "base_url": format!("{}v1", self.provider.base_url()), "api_key": "a-key-for-embeddings",
        });
        let path = format!("/internal/embedding_services?app_id={}", self.app);
        self.owner.post(&path).json(&body).send().await.expect(201)["service_id"].as_i64().unwrap()
    }

    async fn embed_anew(&self, service: i64) -> omni_testkit::Answer {
        let by = json!({ "embedding_service_id": service });
        self.owner.post(&self.path("/reembed")).json(&by).send().await
    }

    async fn silo(&self) -> Value {
        self.owner.get(&self.path("")).send().await.expect(200)
    }

    /// What is found by vectors, nearest first.
    async fn found(&self, question: &str) -> Vec<String> {
        let body = json!({ "query": question, "search_type": "similarity", "limit": 10 });
        let found = self.owner.post(&self.path("/search")).json(&body).send().await.expect(200);
        found["results"].as_array().unwrap().iter().map(|hit| hit["name"].as_str().unwrap().to_owned()).collect()
    }

    /// Lets the time pass that a job waits before it is tried again, until the silo is embedded by `service`.
    async fn until_embedded_by(&self, service: i64) -> Value {
        eventually("the silo is embedded anew", async || {
            self.api.clock().advance(Duration::seconds(5));
            let silo = self.silo().await;
            (silo["embedding_service_id"] == json!(service)).then_some(silo)
        })
        .await
    }
}

#[tokio::test]
async fn what_is_searched_stays_until_all_is_embedded_anew() {
    let place = Place::open().await;
    let before = place.silo().await;
    let service = place.service("New", "vectors-16").await;
    place.provider.script("vectors-16", Script::error(503));
    let job = place.embed_anew(service).await.expect(202);
    assert!(["queued", "running"].contains(&job["status"].as_str().unwrap()), "{job}");
    place.embed_anew(service).await.refusal(409);
    eventually("the provider is asked", async || (place.provider.tally().started > 0).then_some(())).await;
    let gone = place.owner.delete(&format!("/internal/embedding_services/{service}")).send().await;
    assert!(gone.refusal(409).contains("is being embedded anew"), "{gone}");

    // The provider is away: the old vectors serve, and what comes meanwhile is found by them.
    assert_eq!(place.silo().await["embedding_model"], before["embedding_model"]);
    assert_eq!(place.found("When does the shop open?").await[0], "Hours");
    place.index("Keys", "The keys hang beside the door.").await;
    assert_eq!(place.found("Where are the keys?").await[0], "Keys");

    place.provider.script("vectors-16", Script::vectors(16));
    let after = place.until_embedded_by(service).await;
    assert_eq!((&after["dimensions"], &after["chunk_count"]), (&json!(16), &json!(4)));
    assert!(after["embedding_model"].as_str().unwrap().contains("vectors-16"), "{after}");
    assert_eq!(place.found("The keys hang beside the door.").await[0], "Keys");
    assert_eq!(place.found("A refund is paid within two weeks.").await[0], "Refunds");
    let left = place.api.database().snapshot().await;
    assert_eq!((left.rows("chunks"), left.rows("chunk_vectors")), (4, 4), "the old ones are gone");
}

#[tokio::test]
async fn another_attempt_by_another_model_begins_from_the_start() {
    let place = Place::open().await;
    let (first, second) = (place.service("First", "vectors-8").await, place.service("Second", "vectors-16").await);
    place.provider.script("vectors-8", Script::error(401));
    place.embed_anew(first).await.expect(202);
    let sql = place.api.database().sql().await;
    eventually("the first attempt fails for good", async || {
        place.api.clock().advance(Duration::seconds(5));
        let query = "SELECT EXISTS (SELECT FROM jobs WHERE kind = 'embed' AND status = 'failed')";
        sql.query_one(query, &[]).await.unwrap().get::<_, bool>(0).then_some(())
    })
    .await;
    // What an attempt has written when it fails halfway.
    let half = "INSERT INTO chunk_vectors (silo_id, epoch, chunk_id, embedding) \
        SELECT silo_id, 2, chunk_id, '[1,0,0,0,0,0,0,0]' FROM chunks ORDER BY chunk_id LIMIT 2";
    assert_eq!(sql.execute(half, &[]).await.unwrap(), 2);

    place.embed_anew(second).await.expect(202);
    let silo = place.until_embedded_by(second).await;
    assert_eq!(silo["dimensions"], json!(16));
    for (question, name) in
        [("The shop opens at nine in the morning.", "Hours"), ("A refund is paid within two weeks.", "Refunds")]
    {
        assert_eq!(place.found(question).await[0], name);
    }
}

#[tokio::test]
async fn a_service_stays_the_model_that_silos_were_embedded_with() {
    let place = Place::open().await;
    let service = place.service("New", "vectors-16").await;
    let at = format!("/internal/embedding_services/{service}");
    let change = async |change: Value| place.owner.put(&at).json(&change).send().await;
    change(json!({ "model": "vectors-24" })).await.expect(200);
    place.embed_anew(service).await.expect(202);
    place.until_embedded_by(service).await;
    for other in [json!({ "model": "vectors-32" }), json!({ "dimensions": 12 })] {
        let refused = change(other).await.refusal(409);
        assert!(refused.contains("\"Knowledge\"") && refused.contains("embedded anew"), "{refused}");
    }
    change(json!({ "name": "Newer", "api_key": "another-key-for-it" })).await.expect(200);
    assert_eq!(place.found("The shop opens at nine in the morning.").await[0], "Hours");
}
