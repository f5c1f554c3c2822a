//! Repositories: each has a silo of its own, which comes and goes with it.

use serde_json::{Value, json};

use crate::silos::Place;

#[tokio::test]
async fn a_repository_comes_with_a_silo_of_the_same_settings() {
    let place = Place::open().await;
    let service = place.embedding_service("Embeddings").await;
    let body =
        json!({ "name": "Contracts", "description": "Signed", "embedding_service_id": service, "retrieval_count": 7 });
    let made = place.create("repositories", body.clone()).await;
    assert_eq!(made["repository_id"], made["repo_id"]);
    assert_eq!((&made["document_count"], &made["folder_count"]), (&json!(0), &json!(0)));
    assert_eq!(place.get("repositories", &made["repo_id"]).await, made);
    let silo = place.get("silos", &made["silo_id"]).await;
    assert_eq!((&silo["silo_type"], &silo["vector_db_type"]), (&json!("REPO"), &json!("PGVECTOR")));
    for field in ["name", "description", "embedding_service_id", "retrieval_count"] {
        assert_eq!((&made[field], &silo[field]), (&body[field], &body[field]), "{field}");
    }
    place.fill(&made["silo_id"], Some((&made["repo_id"], None))).await;
    assert_eq!(place.get("repositories", &made["repo_id"]).await["document_count"], json!(1));
}

#[tokio::test]
async fn its_silo_finds_a_name_that_is_free() {
    let place = Place::open().await;
    place.create("silos", json!({ "name": "Contracts" })).await;
    place.create("silos", json!({ "name": "Contracts (2)" })).await;
    let made = place.create("repositories", json!({ "name": "Contracts" })).await;
    assert_eq!(place.get("silos", &made["silo_id"]).await["name"], json!("Contracts (3)"));
    let long = "ü".repeat(255);
    place.create("silos", json!({ "name": long })).await;
    let made = place.create("repositories", json!({ "name": long })).await;
    let name = place.get("silos", &made["silo_id"]).await["name"].as_str().unwrap().to_owned();
    assert!(name.ends_with("ü (2)") && name.chars().count() == 255, "{name}");
    let twice = place.try_create("repositories", &json!({ "name": "Contracts" })).await.refusal(409);
    assert_eq!(twice, "name: another repository of this app has this name");
    assert_eq!(place.rows("silos").await, 5, "who was refused left no silo behind");
}

#[tokio::test]
async fn its_settings_are_its_silos_and_what_is_in_it_keeps_what_embedded_it() {
    let place = Place::open().await;
    let service = place.embedding_service("Embeddings").await;
    let made = place.create("repositories", json!({ "name": "Contracts" })).await;
    let (repository, silo) = (&made["repo_id"], &made["silo_id"]);
    let change = json!({ "name": "Treaties", "retrieval_count": 9, "embedding_service_id": service });
    let changed = place.update("repositories", repository, change).await;
    assert_eq!((&changed["name"], &changed["retrieval_count"]), (&json!("Treaties"), &json!(9)));
    let of_silo = place.get("silos", silo).await;
    assert_eq!((&of_silo["retrieval_count"], &of_silo["embedding_service_id"]), (&json!(9), &service));
    assert_eq!(of_silo["name"], json!("Contracts"), "an agent's silo keeps its name");
    place.update("silos", silo, json!({ "retrieval_count": 4 })).await;
    assert_eq!(place.get("repositories", repository).await["retrieval_count"], json!(4));
    place.fill(silo, Some((repository, None))).await;
    let detail = place.try_update("repositories", repository, &json!({ "embedding_service_id": null })).await;
    assert!(detail.refusal(409).contains(&format!("POST /internal/silos/{silo}/reembed")));
    place.update("repositories", repository, json!({ "description": "Filled", "embedding_service_id": service })).await;
    assert_eq!(place.get("silos", silo).await["embedding_model"], json!("local/hash-v1-384"));
}

#[tokio::test]
async fn it_goes_with_everything_in_it_and_its_silo_never_without_it() {
    let place = Place::open().await;
    let made = place.create("repositories", json!({ "name": "Contracts" })).await;
    let (repository, silo) = (&made["repo_id"], &made["silo_id"]);
    let folder = place.create("folders", json!({ "name": "Signed", "repository_id": repository })).await;
    place.fill(silo, Some((repository, Some(&folder["folder_id"])))).await;
    let agent = place.create("agents", json!({ "name": "Support", "silo_id": silo })).await;
    let before = place.api.database().snapshot().await;
    let alone = place.try_delete("silos", silo).await.refusal(409);
    assert_eq!(alone, "this silo is part of the repository \"Contracts\"; delete the repository, and it goes with it");
    let used = place.try_delete("repositories", repository).await.refusal(409);
    assert!(used.starts_with("this repository is in use by \"Support\""), "{used}");
    assert!(place.api.database().snapshot().await == before);
    place.update("agents", &agent["agent_id"], json!({ "silo_id": null })).await;
    place.try_delete("repositories", repository).await.expect(200);
    for table in ["repositories", "silos", "folders", "documents", "chunks", "chunk_words", "chunk_vectors"] {
        assert_eq!(place.rows(table).await, 0, "{table}");
    }
    place.try_delete("repositories", repository).await.refusal(404);
}

#[tokio::test]
async fn a_silo_of_a_domain_goes_with_the_domain() {
    let place = Place::open().await;
    let silo: Value = place.create("silos", json!({ "name": "Site" })).await["silo_id"].clone();
    let statement = format!(
        "UPDATE silos SET silo_type = 'DOMAIN'; INSERT INTO domains (app_id, name, base_url, silo_id, policy, create_date, \
         update_date) VALUES ({}, 'Our site', 'https://example.com/', {silo}, '{{}}', now(), now())",
        place.app
    );
    place.api.database().sql().await.batch_execute(&statement).await.unwrap();
    let alone = place.try_delete("silos", &silo).await.refusal(409);
    assert!(alone.starts_with("this silo is part of the domain \"Our site\""), "{alone}");
}
