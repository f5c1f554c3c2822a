//! What was found, put in order by a model that reads it.

use omni_scripted_model::{Script, ScriptedModel};
use omni_testkit::{Client, TestApi};
use serde_json::{Value, json};

struct Place {
    _api: TestApi,
    owner: Client,
    app: i64,
    provider: ScriptedModel,
    reranker: i64,
    silo: i64,
}

impl Place {
    async fn open() -> Self {
        let api = TestApi::start().await;
        let owner = api.client("owner@example.com").await;
        let app = owner.create_app("Our app").await;
        let provider = ScriptedModel::start().await.unwrap();
        let reranker = owner.create_service(app, &provider, "ranks").await;
        let body = json!({ "name": "Knowledge", "reranking_service_id": reranker, "retrieval_count": 2 });
        let made = owner.post(&format!("/internal/silos?app_id={app}")).json(&body).send().await.expect(201);
        assert_eq!(made["reranking_service_id"], json!(reranker));
        let silo = made["silo_id"].as_i64().unwrap();
        for (name, text) in [
            ("Sky", "blue sky"),
            ("Apples", "apple apple apple apple"),
            ("Red apples", "a red apple lay beside many other things that somebody had left on the table"),
            ("Night", "red sky at night"),
        ] {
            let text = json!({ "name": name, "text": text });
            owner.post(&format!("/internal/silos/{silo}/documents")).json(&text).send().await.expect(201);
        }
        Self { _api: api, owner, app, provider, reranker, silo }
    }

    async fn search(&self, body: Value) -> Vec<Value> {
        let found = self.owner.post(&format!("/internal/silos/{}/search", self.silo)).json(&body).send().await;
        found.expect(200)["results"].as_array().unwrap().clone()
    }

    async fn change(&self, change: Value) -> omni_testkit::Answer {
        self.owner.put(&format!("/internal/silos/{}", self.silo)).json(&change).send().await
    }
}

#[tokio::test]
async fn a_reranker_has_the_last_word_and_its_scores_are_kept() {
    let place = Place::open().await;
    for kind in ["hybrid", "similarity"] {
        let found = place.search(json!({ "query": "red apple", "search_type": kind })).await;
        assert_eq!(found.len(), 2, "as many as the silo gives: {found:?}");
        assert_eq!(found[0]["name"], json!("Red apples"), "{kind}: {found:?}");
        assert_eq!(found[0]["score"], found[0]["scores"]["reranked"]);
        assert!(found[0]["scores"]["similarity"].is_f64(), "{found:?}");
        assert!(found[0]["score"].as_f64() >= found[1]["score"].as_f64(), "{found:?}");
    }
    let varied = place.search(json!({ "query": "red apple", "search_type": "mmr" })).await;
    assert!(varied.iter().all(|hit| hit["scores"]["reranked"].is_null()), "{varied:?}");
    let agent = json!({ "name": "Greengrocer", "silo_id": place.silo });
    let agent = place.owner.post(&format!("/internal/agents?app_id={}", place.app)).json(&agent).send().await;
    let said = place.owner.ask(agent.expect(201)["agent_id"].as_i64().unwrap(), "red apple").await.expect(200);
    assert_eq!(said["citations"][0]["name"], json!("Red apples"));
    assert!(said["citations"][0]["scores"]["reranked"].is_f64(), "{said}");
}

#[tokio::test]
async fn a_reranker_that_fails_costs_its_order_and_nothing_else() {
    let place = Place::open().await;
    place.provider.script("ranks", Script::error(401));
    let found = place.search(json!({ "query": "red apple" })).await;
    assert_eq!(found.len(), 2);
    assert!(found.iter().all(|hit| hit["scores"]["reranked"].is_null() && hit["scores"]["fused"].is_f64()));
    place.change(json!({ "reranking_service_id": null })).await.expect(200);
    let before = place.provider.tally().started;
    assert_eq!(place.search(json!({ "query": "red apple" })).await, found);
    assert_eq!(place.provider.tally().started, before, "nobody is asked any more");
}

#[tokio::test]
async fn a_reranker_is_an_ai_service_of_the_app_with_an_address_and_stays_while_it_is_needed() {
    let place = Place::open().await;
    let gone = place.owner.delete(&format!("/internal/ai_services/{}", place.reranker)).send().await;
    assert!(gone.refusal(409).contains("\"Knowledge\""), "{gone}");
    let local = json!({ "name": "Built in", "provider": "local", "model": "local" });
    let local = place.owner.post(&format!("/internal/ai_services?app_id={}", place.app)).json(&local).send().await;
    let local = local.expect(201)["service_id"].clone();
    for unfit in [local, json!(987_654)] {
        let refused = place.change(json!({ "reranking_service_id": unfit })).await.refusal(400);
        assert!(refused.starts_with("reranking_service_id"), "{refused}");
    }
    place.change(json!({ "reranking_service_id": null })).await.expect(200);
    place.owner.delete(&format!("/internal/ai_services/{}", place.reranker)).send().await.expect(200);
}
