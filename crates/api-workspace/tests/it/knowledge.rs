//! Knowledge from one end to the other: real files are uploaded and indexed, an agent is asked about them, and answers with
//! the right citation. And searching a silo in every way.

use omni_domain::Role;
use omni_testkit::{Answer, Cast, Client, FakeQdrant, TestApi, eventually};
use serde_json::{Value, json};

const RULES: &[u8] = include_bytes!("../../../documents/tests/data/rules.pdf");
const MANUAL: &[u8] = include_bytes!("../../../documents/tests/data/manual.docx");
const ACCOUNTS: &[u8] = include_bytes!("../../../documents/tests/data/accounts.xlsx");
const WORDS: &[u8] = include_bytes!("../../../documents/tests/data/words.png");

async fn make(client: &Client, path: &str, body: Value, id: &str) -> i64 {
    client.post(path).json(&body).send().await.expect(201)[id].as_i64().unwrap()
}

async fn silo(client: &Client, app: i64) -> i64 {
    make(client, &format!("/internal/silos?app_id={app}"), json!({ "name": "Knowledge" }), "silo_id").await
}

async fn index(client: &Client, silo: i64, name: &str, text: &str, metadata: Value) -> i64 {
    let body = json!({ "name": name, "text": text, "metadata": metadata });
    make(client, &format!("/internal/silos/{silo}/documents"), body, "document_id").await
}

async fn search(client: &Client, silo: i64, body: Value) -> Answer {
    client.post(&format!("/internal/silos/{silo}/search")).json(&body).send().await
}

fn names(found: &Value) -> Vec<&str> {
    found["results"].as_array().unwrap().iter().map(|hit| hit["name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn files_are_uploaded_indexed_asked_about_and_cited() {
    let api = TestApi::builder().working().reading_pictures().start().await;
    let owner = api.client("owner@example.com").await;
    let app = owner.create_app("Our app").await;
    let repository = owner.post(&format!("/internal/repositories?app_id={app}")).json(&json!({ "name": "House" }));
    let repository = repository.send().await.expect(201);
    let files = format!("/internal/repositories/{}/files", repository["repo_id"]);
    for (name, content) in
        [("rules.pdf", RULES), ("manual.docx", MANUAL), ("accounts.xlsx", ACCOUNTS), ("scan.png", WORDS)]
    {
        owner.post(&files).form(&[], &[("file", name, content)]).send().await.expect(201);
    }
    let done = eventually("all files are done with", async || {
        let listed = owner.get(&files).send().await.expect(200);
        let items = listed["items"].as_array().unwrap().clone();
        items.iter().all(|file| file["status"] != "processing").then_some(items)
    })
    .await;
    let scan = done.iter().find(|file| file["filename"] == "scan.png").unwrap();
    let reads_pictures = scan["status"] == "ready";
    if !reads_pictures {
        println!("SKIPPED: tesseract is not installed, so the scanned picture is not asked about");
        assert!(scan["error"].as_str().unwrap().contains("tesseract"), "{scan}");
    }
    assert!(done.iter().filter(|file| file["status"] == "ready").count() >= 3, "{done:?}");

    let agent = json!({ "name": "Keeper", "silo_id": repository["silo_id"] });
    let agent = make(&owner, &format!("/internal/agents?app_id={app}"), agent, "agent_id").await;
    let mut asked = vec![
        ("When do quiet hours begin?", "rules.pdf", Some(1), "ten"),
        ("Where is the boiler?", "manual.docx", None, "cellar"),
        ("What is the price of paint?", "accounts.xlsx", Some(1), "12.5"),
    ];
    if reads_pictures {
        // The second page of the PDF is the same picture, and has no text of its own.
        asked.push(("What is the invoice number?", "rules.pdf", Some(2), "4711"));
    }
    for (question, file, page, answer) in asked {
        let said = owner.ask(agent, question).await.expect(200);
        let best = &said["citations"][0];
        assert_eq!((&best["name"], &best["page"]), (&json!(file), &json!(page)), "{question}: {said}");
        assert!(best["quote"].as_str().unwrap().contains(answer), "{question}: {said}");
        assert!(said["response"].as_str().unwrap().contains(answer), "{question}: {said}");
        assert_eq!(best["index"], json!(1));
        if answer == "4711" {
            let named: Vec<_> = said["citations"].as_array().unwrap().iter().map(|cited| &cited["name"]).collect();
            assert!(named[..2].contains(&&json!("scan.png")), "{named:?}");
        }
        assert!(best["end"].as_u64() > best["start"].as_u64(), "{best}");
    }
}

#[tokio::test]
async fn citations_come_with_the_stream_are_stored_and_are_the_askers_own() {
    let api = TestApi::start().await;
    let cast = Cast::gather(&api).await;
    let silo = silo(&cast.editor, cast.app).await;
    index(&cast.editor, silo, "Hours", "The shop opens at nine in the morning.", json!({})).await;
    let agent = json!({ "name": "Clerk", "silo_id": silo });
    let agent = make(&cast.editor, &format!("/internal/agents?app_id={}", cast.app), agent, "agent_id").await;
    let mut stream = cast.viewer.chat(agent, "When does the shop open?").await;
    let metadata = stream.next_of("metadata").await.data;
    let cited = stream.next_of("citation").await.data;
    assert_eq!((&cited["type"], &cited["name"], &cited["index"]), (&json!("citation"), &json!("Hours"), &json!(1)));
    let scores = &cited["scores"];
    assert!(scores["similarity"].as_f64().unwrap() > 0.0 && scores["fused"].as_f64().unwrap() > 0.0, "{cited}");
    let done = stream.rest().await.pop().unwrap();
    assert_eq!((done.kind(), &done.data["citations"][0]["name"]), ("done", &json!("Hours")));

    let history = cast.viewer.history(&metadata["conversation_id"]).await;
    assert_eq!(history[0]["citations"], json!([]), "the person cites nothing");
    assert_eq!(history[1]["citations"][0]["scores"], *scores);
    let path = format!("/internal/agents/{agent}/turns/{}/retrieval", metadata["turn_id"]);
    let told = cast.viewer.get(&path).send().await.expect(200);
    assert_eq!((&told["query"], &told["silo_id"]), (&json!("When does the shop open?"), &json!(silo)));
    assert_eq!(told["citations"][0]["scores"], *scores);
    cast.editor.get(&path).send().await.refusal(404);
}

#[tokio::test]
async fn a_turn_begins_with_what_was_looked_up_for_it_or_not_at_all() {
    let api = TestApi::start().await;
    let owner = api.client("owner@example.com").await;
    let app = owner.create_app("Our app").await;
    let silo = silo(&owner, app).await;
    let agent = json!({ "name": "Clerk", "silo_id": silo });
    let agent = make(&owner, &format!("/internal/agents?app_id={app}"), agent, "agent_id").await;
    let sql = api.database().sql().await;
    sql.batch_execute("ALTER TABLE retrievals ADD CONSTRAINT full_up CHECK (false)").await.unwrap();
    assert!(owner.ask(agent, "When does the shop open?").await.status >= 500);
    let left = api.database().snapshot().await;
    assert_eq!((left.rows("turns"), left.rows("messages"), left.rows("conversations")), (0, 0, 0));
    sql.batch_execute("ALTER TABLE retrievals DROP CONSTRAINT full_up").await.unwrap();
    owner.ask(agent, "When does the shop open?").await.expect(200);
    assert_eq!(api.database().snapshot().await.rows("retrievals"), 1);
}

#[tokio::test]
async fn a_silo_is_searched_in_every_way() {
    let api = TestApi::start().await;
    let owner = api.client("owner@example.com").await;
    let silo = silo(&owner, owner.create_app("Our app").await).await;
    assert_eq!(search(&owner, silo, json!({ "query": "anything" })).await.expect(200)["results"], json!([]));
    for (name, text, metadata) in [
        (
            "Password",
            "To reset your password open the settings and choose reset password.",
            json!({ "year": 2024, "lang": "en" }),
        ),
        (
            "Passwords",
            "Passwords are reset in the settings, where you choose to reset the password.",
            json!({ "year": 2025, "lang": "en" }),
        ),
        (
            "Refunds",
            "A refund is paid within two weeks of the return of the goods.",
            json!({ "year": 2023, "lang": ["en", "de"] }),
        ),
        (
            "Kontakt",
            "Der Kundendienst ist unter der Nummer 4711 zu erreichen.",
            json!({ "lang": "de", "since": "2026-01-15" }),
        ),
    ] {
        index(&owner, silo, name, text, metadata).await;
    }
    let found = async |body: Value| {
        let found = search(&owner, silo, body).await.expect(200);
        names(&found).into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    let ask = "How do I reset my password?";
    assert_eq!(found(json!({ "query": ask, "limit": 2 })).await.len(), 2);
    for kind in ["hybrid", "similarity"] {
        let hits = found(json!({ "query": ask, "search_type": kind, "limit": 3 })).await;
        assert!(hits[0].starts_with("Password") && hits[1].starts_with("Password"), "{kind}: {hits:?}");
    }
    let near = json!({ "query": ask, "search_type": "similarity_score_threshold", "score_threshold": 0.3 });
    assert!(found(near).await.iter().all(|name| name.starts_with("Password")));
    let varied = found(json!({ "query": ask, "search_type": "mmr", "limit": 2, "lambda_mult": 0.1 })).await;
    assert!(varied[0].starts_with("Password") && !varied[1].starts_with("Password"), "{varied:?}");
    assert_eq!(found(json!({ "query": "4711", "limit": 1 })).await, ["Kontakt"], "a number is found by its word");
    let pasted = format!("Which customer has the token {}?", "4f".repeat(2_000));
    assert_eq!(
        found(json!({ "query": pasted, "limit": 1 })).await.len(),
        1,
        "what is longer than words are is no error"
    );

    let filtered = async |filter: Value| {
        let mut hits = found(json!({ "query": ask, "limit": 10, "filter_metadata": filter })).await;
        hits.sort();
        hits
    };
    assert_eq!(filtered(json!({ "year": { "$gte": 2024 } })).await, ["Password", "Passwords"]);
    assert_eq!(filtered(json!({ "year": { "$gt": 2023, "$lt": 2025 } })).await, ["Password"]);
    assert_eq!(filtered(json!({ "lang": "de" })).await, ["Kontakt", "Refunds"]);
    assert_eq!(filtered(json!({ "lang": { "$ne": "en" } })).await, ["Kontakt"]);
    assert_eq!(filtered(json!({ "year": { "$in": [2023, 2025] } })).await, ["Passwords", "Refunds"]);
    assert_eq!(filtered(json!({ "since": { "$lte": "2026-02-01" } })).await, ["Kontakt"]);
    assert_eq!(filtered(json!({ "lang": "'); DROP TABLE chunks; --" })).await, Vec::<String>::new());

    for (body, field) in [
        (json!({ "query": " " }), "query"),
        (json!({ "query": "x", "limit": 0 }), "limit"),
        (json!({ "query": "x", "limit": 201 }), "limit"),
        (json!({ "query": "x", "search_type": "magic" }), "search_type"),
        (json!({ "query": "x", "search_type": "similarity_score_threshold" }), "score_threshold"),
        (json!({ "query": "x", "score_threshold": 0.1 }), "score_threshold"),
        (json!({ "query": "x", "search_type": "mmr", "lambda_mult": 2 }), "lambda_mult"),
        (json!({ "query": "x", "filter_metadata": { "a": { "$near": 1 } } }), "filter_metadata"),
    ] {
        let refused = search(&owner, silo, body).await.refusal(400);
        assert!(refused.starts_with(field), "{refused}");
    }
}

#[tokio::test]
async fn documents_are_counted_and_removed_by_filter_and_nothing_is_left_of_them() {
    let api = TestApi::start().await;
    let owner = api.client("owner@example.com").await;
    let silo = silo(&owner, owner.create_app("Our app").await).await;
    for (name, year) in [("a", 2023), ("b", 2024), ("c", 2025)] {
        index(&owner, silo, name, "Some words about something.", json!({ "year": year })).await;
    }
    let documents = format!("/internal/silos/{silo}/documents");
    let count = async |body: Value| {
        owner.post(&format!("{documents}/count")).json(&body).send().await.expect(200)["count"].as_u64().unwrap()
    };
    let recent = json!({ "filter_metadata": { "year": { "$gte": 2024 } } });
    assert_eq!((count(json!({})).await, count(recent.clone()).await), (3, 2));
    let gone = owner.delete(&documents).json(&recent).send().await.expect(200);
    assert_eq!((&gone["count"], count(json!({})).await), (&json!(2), 1));
    assert!(owner.delete(&documents).json(&json!({})).send().await.refusal(400).starts_with("document_ids"));
    let everything = owner.delete(&documents).json(&json!({ "filter_metadata": {} })).send().await;
    assert!(everything.refusal(400).starts_with("filter_metadata"));
    let left = api.database().snapshot().await;
    assert_eq!((left.rows("chunks"), left.rows("chunk_words"), left.rows("chunk_vectors")), (1, 1, 1));
    owner.delete(&format!("/internal/silos/{silo}")).send().await.expect(200);
    let left = api.database().snapshot().await;
    for table in ["silos", "documents", "chunks", "chunk_words", "chunk_vectors"] {
        assert_eq!(left.rows(table), 0, "{table}");
    }
}

#[tokio::test]
async fn a_silo_of_another_app_is_found_by_nothing() {
    let api = TestApi::start().await;
    let cast = Cast::gather(&api).await;
    let (ours, theirs) = (silo(&cast.owner, cast.app).await, silo(&cast.neighbour, cast.other_app).await);
    let secret = "The combination of the safe is 4711.";
    let document = index(&cast.owner, ours, "Secret", secret, json!({})).await;
    index(&cast.neighbour, theirs, "Plain", "Nothing to see here.", json!({})).await;
    search(&cast.neighbour, ours, json!({ "query": secret })).await.refusal(404);
    let found = search(&cast.neighbour, theirs, json!({ "query": secret, "limit": 50 })).await.expect(200);
    assert_eq!(names(&found), ["Plain"]);
    let stolen = json!({ "document_ids": [document] });
    let gone = cast.neighbour.delete(&format!("/internal/silos/{theirs}/documents")).json(&stolen).send().await;
    assert_eq!(gone.expect(200)["count"], json!(0));
    let agents = format!("/internal/agents?app_id={}", cast.other_app);
    let refused = cast.neighbour.post(&agents).json(&json!({ "name": "Spy", "silo_id": ours })).send().await;
    assert!(refused.refusal(400).starts_with("silo_id"), "{refused}");
    api.make_member(cast.app, &cast.neighbour, Role::Viewer).await;
    assert_eq!(names(&search(&cast.neighbour, ours, json!({ "query": secret })).await.expect(200)), ["Secret"]);
}

#[tokio::test]
async fn a_silo_in_qdrant_finds_what_one_in_postgresql_does() {
    let qdrant = FakeQdrant::start().await;
    let api = TestApi::builder().qdrant(&qdrant).working().start().await;
    let owner = api.client("owner@example.com").await;
    let app = owner.create_app("Our app").await;
    let body = json!({ "name": "Far away", "vector_db_type": "QDRANT" });
    let silo = make(&owner, &format!("/internal/silos?app_id={app}"), body, "silo_id").await;
    index(&owner, silo, "Hours", "The shop opens at nine in the morning.", json!({ "lang": "en" })).await;
    let gone = index(&owner, silo, "Refunds", "A refund is paid within two weeks.", json!({ "lang": "de" })).await;
    for kind in ["hybrid", "similarity"] {
        let body = json!({ "query": "When does the shop open?", "search_type": kind, "limit": 1 });
        assert_eq!(names(&search(&owner, silo, body).await.expect(200)), ["Hours"], "{kind}");
    }
    let filtered = json!({ "query": "shop", "filter_metadata": { "lang": "de" } });
    assert_eq!(names(&search(&owner, silo, filtered).await.expect(200)), ["Refunds"]);
    index(&owner, silo, "Hours again", "The shop opens at nine in the morning, every morning.", json!({})).await;
    let varied = json!({ "query": "When does the shop open?", "search_type": "mmr", "limit": 2, "lambda_mult": 0.1 });
    let varied = search(&owner, silo, varied).await.expect(200);
    assert!(names(&varied)[0].starts_with("Hours") && names(&varied)[1] == "Refunds", "{varied}");
    let documents = format!("/internal/silos/{silo}/documents");
    owner.delete(&documents).json(&json!({ "document_ids": [gone] })).send().await.expect(200);
    eventually("its point is gone", async || (qdrant.all_points() == 2).then_some(())).await;
    let left = api.database().snapshot().await;
    assert_eq!(left.rows("chunk_vectors"), 0, "PostgreSQL keeps none of them");
}
