//! Silos: what they refer to is there, what is in them stays embedded as it is, and none goes away under an agent.

use futures::future::join_all;
use omni_testkit::{Answer, Client, TestApi};
use serde_json::{Value, json};

pub(crate) struct Place {
    pub(crate) api: TestApi,
    pub(crate) owner: Client,
    pub(crate) app: i64,
}

impl Place {
    pub(crate) async fn open() -> Self {
        let api = TestApi::start().await;
        let owner = api.client("owner@example.com").await;
        let app = owner.create_app("Our app").await;
        Self { api, owner, app }
    }

    pub(crate) async fn try_create(&self, kind: &str, body: &Value) -> Answer {
        self.owner.post(&format!("/internal/{kind}?app_id={}", self.app)).json(body).send().await
    }

    pub(crate) async fn create(&self, kind: &str, body: Value) -> Value {
        self.try_create(kind, &body).await.expect(201)
    }

    pub(crate) async fn get(&self, kind: &str, id: &Value) -> Value {
        self.owner.get(&format!("/internal/{kind}/{id}")).send().await.expect(200)
    }

    pub(crate) async fn try_update(&self, kind: &str, id: &Value, change: &Value) -> Answer {
        self.owner.put(&format!("/internal/{kind}/{id}")).json(change).send().await
    }

    pub(crate) async fn update(&self, kind: &str, id: &Value, change: Value) -> Value {
        self.try_update(kind, id, &change).await.expect(200)
    }

    pub(crate) async fn try_delete(&self, kind: &str, id: &Value) -> Answer {
        self.owner.delete(&format!("/internal/{kind}/{id}")).send().await
    }

    /// Another embedding service than the one that is built in.
    pub(crate) async fn embedding_service(&self, name: &str) -> Value {
        self.create("embedding_services", json!({ "name": name, "provider": "local" })).await["service_id"].clone()
    }

    /// Puts a document with two passages into a silo, as reading a file does.
    pub(crate) async fn fill(&self, silo: &Value, repository: Option<(&Value, Option<&Value>)>) {
        let or_null = |id: Option<&Value>| id.map_or_else(|| "NULL".to_owned(), Value::to_string);
        let (repository, folder) = repository.map_or((None, None), |(repository, folder)| (Some(repository), folder));
        let statement = format!(
            "WITH d AS (INSERT INTO documents (app_id, silo_id, repo_id, folder_id, name, media_type, bytes, status, \
               chunk_count, create_date, update_date) \
               VALUES ({app}, {silo}, {}, {}, 'a.txt', 'text/plain', 1, 'ready', 2, now(), now()) RETURNING document_id), \
             c AS (INSERT INTO chunks (app_id, silo_id, document_id, ordinal, content, start_at, end_at) \
               SELECT {app}, {silo}, d.document_id, n, 'text', 0, 4 FROM d, generate_series(0, 1) n RETURNING chunk_id), \
             w AS (INSERT INTO chunk_words SELECT chunk_id, 'text' FROM c) \
             INSERT INTO chunk_vectors SELECT {silo}, 1, chunk_id, '[1,2]' FROM c; \
             UPDATE silos SET embedding_model = 'local/hash-v1-384', dimensions = 384 WHERE silo_id = {silo}",
            or_null(repository),
            or_null(folder),
            app = self.app,
        );
        self.api.database().sql().await.batch_execute(&statement).await.unwrap();
    }

    pub(crate) async fn rows(&self, table: &str) -> i64 {
        self.api.database().snapshot().await.rows(table)
    }
}

#[tokio::test]
async fn what_is_left_out_is_as_usual() {
    let place = Place::open().await;
    let silo = place.create("silos", json!({ "name": "Handbook" })).await;
    assert_eq!((&silo["vector_db_type"], &silo["silo_type"]), (&json!("PGVECTOR"), &json!("CUSTOM")));
    assert_eq!((&silo["retrieval_count"], &silo["embedding_service_id"]), (&json!(5), &json!(null)));
    assert_eq!((&silo["embedding_model"], &silo["dimensions"]), (&json!(null), &json!(null)));
    for count in ["docs_count", "document_count", "chunk_count"] {
        assert_eq!(silo[count], json!(0), "{count}");
    }
    assert_eq!(place.get("silos", &silo["silo_id"]).await, silo);
    let service = place.embedding_service("Embeddings").await;
    let contract = json!({
        "name": "Knowledge Base",
        "description": "Company documentation",
        "vector_db_type": "pgvector",
        "embedding_service_id": service,
        "retrieval_count": 100,
    });
    let silo = place.create("silos", contract.clone()).await;
    for field in ["name", "description", "embedding_service_id", "retrieval_count"] {
        assert_eq!(silo[field], contract[field], "{field}");
    }
    let list = place.owner.get(&format!("/internal/silos?app_id={}", place.app)).send().await;
    assert_eq!(list.header("x-total-count"), Some("2"));
    assert_eq!(list.expect(200)[1], silo);
}

#[tokio::test]
async fn what_makes_no_silo_is_refused_by_field() {
    let place = Place::open().await;
    let known = place.create("silos", json!({ "name": "Known" })).await["silo_id"].clone();
    let before = place.api.database().snapshot().await;
    for (field, change) in [
        ("name", json!({ "name": " " })),
        ("name", json!({ "name": "x".repeat(256) })),
        ("description", json!({ "description": "x".repeat(1_001) })),
        ("vector_db_type", json!({ "vector_db_type": "PINECONE" })),
        ("vector_db_type", json!({ "vector_db_type": "QDRANT" })),
        ("embedding_service_id", json!({ "embedding_service_id": 7 })),
        ("retrieval_count", json!({ "retrieval_count": 0 })),
        ("retrieval_count", json!({ "retrieval_count": 101 })),
    ] {
        let mut body = json!({ "name": "New" });
        body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        for kind in ["silos", "repositories"] {
            let detail = place.try_create(kind, &body).await.refusal(400);
            assert!(detail.starts_with(&format!("{field}: ")), "{change}: {detail}");
        }
        let detail = place.try_update("silos", &known, &change).await.refusal(400);
        assert!(detail.starts_with(&format!("{field}: ")), "{change}: {detail}");
    }
    let qdrant = place.try_create("silos", &json!({ "name": "New", "vector_db_type": "QDRANT" })).await.refusal(400);
    assert!(qdrant.contains("this server has no Qdrant") && qdrant.contains("OMNI_QDRANT_URL"), "{qdrant}");
    assert!(place.api.database().snapshot().await == before);
}

#[tokio::test]
async fn what_is_in_a_silo_keeps_what_embedded_it() {
    let place = Place::open().await;
    let (one, other) = (place.embedding_service("One").await, place.embedding_service("Other").await);
    let silo =
        place.create("silos", json!({ "name": "Handbook", "embedding_service_id": one })).await["silo_id"].clone();
    let empty = place.update("silos", &silo, json!({ "embedding_service_id": other })).await;
    assert_eq!(empty["embedding_service_id"], other);
    place.fill(&silo, None).await;
    let filled = place.get("silos", &silo).await;
    assert_eq!((&filled["docs_count"], &filled["chunk_count"]), (&json!(1), &json!(2)));
    assert_eq!((&filled["embedding_model"], &filled["dimensions"]), (&json!("local/hash-v1-384"), &json!(384)));
    let before = place.api.database().snapshot().await;
    for change in [
        json!({ "embedding_service_id": one }),
        json!({ "embedding_service_id": null }),
        json!({ "vector_db_type": "QDRANT" }),
    ] {
        let detail = place.try_update("silos", &silo, &change).await.refusal(409);
        assert!(detail.starts_with("this silo has content"), "{detail}");
        assert!(detail.contains(&format!("POST /internal/silos/{silo}/reembed")), "{detail}");
    }
    assert!(place.api.database().snapshot().await == before);
    // What it is already is no change.
    let same =
        json!({ "name": "Manual", "embedding_service_id": other, "vector_db_type": "PGVECTOR", "retrieval_count": 9 });
    let renamed = place.update("silos", &silo, same).await;
    assert_eq!((&renamed["name"], &renamed["retrieval_count"]), (&json!("Manual"), &json!(9)));
    assert_eq!(renamed["embedding_model"], filled["embedding_model"]);
    // Emptied, it is free again, and forgets what it was embedded with.
    place.api.database().sql().await.batch_execute("DELETE FROM documents").await.unwrap();
    let moved = place.update("silos", &silo, json!({ "embedding_service_id": null })).await;
    assert_eq!((&moved["embedding_model"], &moved["dimensions"]), (&json!(null), &json!(null)));
}

#[tokio::test]
async fn a_silo_whose_server_is_gone_stays_as_it_is() {
    let place = Place::open().await;
    let silo = place.create("silos", json!({ "name": "Handbook" })).await["silo_id"].clone();
    let sql = place.api.database().sql().await;
    sql.batch_execute("UPDATE silos SET vector_db_type = 'QDRANT'").await.unwrap();
    let renamed = place.update("silos", &silo, json!({ "name": "Manual", "vector_db_type": "QDRANT" })).await;
    assert_eq!((&renamed["name"], &renamed["vector_db_type"]), (&json!("Manual"), &json!("QDRANT")));
    place.update("silos", &silo, json!({ "vector_db_type": null })).await;
    place.try_update("silos", &silo, &json!({ "vector_db_type": "QDRANT" })).await.refusal(400);
}

#[tokio::test]
async fn a_silo_in_use_says_by_which_agents_and_goes_with_all_that_is_in_it() {
    let place = Place::open().await;
    let silo = place.create("silos", json!({ "name": "Handbook" })).await["silo_id"].clone();
    place.fill(&silo, None).await;
    let agent = place.create("agents", json!({ "name": "Support", "silo_id": silo })).await;
    assert_eq!(agent["silo_id"], silo);
    let second = place.create("agents", json!({ "name": "Sales" })).await["agent_id"].clone();
    assert_eq!(place.update("agents", &second, json!({ "silo_id": silo })).await["silo_id"], silo);
    let before = place.api.database().snapshot().await;
    let detail = place.try_delete("silos", &silo).await.refusal(409);
    assert!(detail.starts_with("this silo is in use by \"Support\", \"Sales\""), "{detail}");
    assert!(place.api.database().snapshot().await == before);
    place.update("agents", &agent["agent_id"], json!({ "silo_id": null })).await;
    place.try_delete("agents", &second).await.expect(200);
    place.try_delete("silos", &silo).await.expect(200);
    for table in ["silos", "documents", "chunks", "chunk_words", "chunk_vectors"] {
        assert_eq!(place.rows(table).await, 0, "{table}");
    }
    place.try_delete("silos", &silo).await.refusal(404);
    let trail = place.owner.get(&format!("/internal/apps/{}/audit?action=agent.", place.app)).send().await.expect(200);
    let changes: Vec<&Value> =
        trail["items"].as_array().unwrap().iter().map(|entry| &entry["changes"]["silo_id"]).collect();
    assert!(changes.contains(&&json!({ "to": silo })) && changes.contains(&&json!({ "from": silo })), "{changes:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_of_one_name_at_once_there_is_one() {
    let place = Place::open().await;
    for kind in ["silos", "repositories", "embedding_services"] {
        let body = json!({ "name": "Same", "provider": "local" });
        let statuses = join_all((0..12).map(async |_| place.try_create(kind, &body).await.status)).await;
        let made = statuses.iter().filter(|status| **status == 201).count();
        let refused = statuses.iter().filter(|status| **status == 409).count();
        assert_eq!((made, refused), (1, 11), "{kind}: {statuses:?}");
    }
    // The repository's silo has a name of its own, and those that lost took theirs with them.
    assert_eq!((place.rows("silos").await, place.rows("repositories").await), (2, 1));
    let twice = place.try_create("silos", &json!({ "name": "Same" })).await.refusal(409);
    assert_eq!(twice, "name: another silo of this app has this name");
    let other = place.create("silos", json!({ "name": "Other" })).await["silo_id"].clone();
    place.try_update("silos", &other, &json!({ "name": "Same" })).await.refusal(409);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agent_never_draws_on_a_silo_that_has_gone() {
    let place = Place::open().await;
    for round in 0..10 {
        let silo = place.create("silos", json!({ "name": format!("Silo {round}") })).await["silo_id"].clone();
        let body = json!({ "name": format!("Agent {round}"), "silo_id": silo });
        let (made, gone) = tokio::join!(place.try_create("agents", &body), place.try_delete("silos", &silo));
        match (made.status, gone.status) {
            (201, 409) => {}
            (400 | 409, 200) => {}
            _ => panic!("{made}\n{gone}"),
        }
    }
}

#[tokio::test]
async fn an_app_says_how_large_a_file_can_be() {
    let place = Place::open().await;
    let app = json!(place.app);
    assert_eq!(place.get("apps", &app).await["max_file_size_mb"], json!(0));
    assert_eq!(place.update("apps", &app, json!({ "max_file_size_mb": 25 })).await["max_file_size_mb"], json!(25));
    let named = place.update("apps", &app, json!({ "name": "Renamed" })).await;
    assert_eq!(named["max_file_size_mb"], json!(25));
    assert_eq!(place.update("apps", &app, json!({ "max_file_size_mb": null })).await["max_file_size_mb"], json!(0));
    let body = json!({ "name": "Another", "max_file_size_mb": 7 });
    let made = place.owner.post("/internal/apps").json(&body).send().await.expect(201);
    assert_eq!(made["max_file_size_mb"], json!(7));
    let detail = place.try_update("apps", &app, &json!({ "max_file_size_mb": 1_000_001 })).await.refusal(400);
    assert!(detail.starts_with("max_file_size_mb: "), "{detail}");
}
