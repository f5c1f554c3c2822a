//! Servers that are away, say no, or are no Qdrant.

use std::error::Error;

use omni_domain::{ErrorKind, Failure};
use omni_egress::{Allow, Egress, EgressPolicy};
use omni_qdrant::{Filter, Qdrant, QdrantError, Search};
use omni_testkit::{FakeQdrant, Mishap};
use secrecy::SecretString;
use serde_json::{Value, json};

use crate::setting::{HERE, collection, egress, fan, near, qdrant, ready};

const KEY: &str = "qdrant-secret-key";

fn answer(status: u16, body: &Value) -> Mishap {
    Mishap::Answer(status, "application/json", body.to_string().into_bytes())
}

fn says_no(status: u16, error: &str) -> Mishap {
    answer(status, &json!({ "status": { "error": error }, "time": 0.1 }))
}

/// What a search runs into when the server does this each time it is asked.
async fn search_meets(mishap: &Mishap) -> (QdrantError, usize) {
    let (fake, qdrant, collection) = ready().await;
    let before = fake.requests().len();
    for _ in 0..3 {
        fake.next(mishap.clone());
    }
    let error = qdrant.search(&collection, &near(Filter::everything_of(HERE))).await.unwrap_err();
    (error, fake.requests().len() - before)
}

#[tokio::test]
async fn each_way_to_say_no_is_told_apart() {
    let cases = [
        (says_no(400, "Wrong input: x"), "vector_store_refused", ErrorKind::Upstream, 1),
        (says_no(422, "Validation error in JSON body"), "vector_store_refused", ErrorKind::Upstream, 1),
        (says_no(404, "Not found: Collection `a` doesn't exist!"), "no_vector_collection", ErrorKind::Conflict, 1),
        (says_no(408, "Timeout"), "vector_store_timeout", ErrorKind::UpstreamTimeout, 1),
        (says_no(507, "No space left"), "vector_store_full", ErrorKind::StorageFull, 1),
        (says_no(500, "Service internal error"), "vector_store_unavailable", ErrorKind::Unavailable, 3),
        (says_no(503, "not ready"), "vector_store_unavailable", ErrorKind::Unavailable, 3),
        (says_no(429, "Rate limit"), "vector_store_unavailable", ErrorKind::Unavailable, 3),
        (
            Mishap::Answer(401, "text/plain", b"Invalid API key or JWT".to_vec()),
            "vector_store_credentials_refused",
            ErrorKind::Upstream,
            1,
        ),
        (Mishap::Answer(302, "text/html", b"<html>".to_vec()), "vector_store_malformed", ErrorKind::Upstream, 1),
        (Mishap::Drop, "vector_store_unavailable", ErrorKind::Unavailable, 3),
    ];
    for (mishap, code, kind, tries) in cases {
        let (error, tried) = search_meets(&mishap).await;
        assert_eq!((error.code(), error.kind(), tried), (code, kind, tries), "{mishap:?}: {error:?}");
    }
}

#[tokio::test]
async fn what_the_server_said_is_for_the_log_and_short() {
    let (error, _) = search_meets(&says_no(400, &format!("Wrong input: {}", "x".repeat(100_000)))).await;
    assert_eq!(error.to_string(), "the vector store refused the request with status 400");
    let said = error.source().unwrap().to_string();
    assert!(said.contains("Wrong input: xxx"), "{said}");
    assert!(said.len() < 400, "{}", said.len());
}

#[tokio::test]
async fn the_servers_own_word_on_dimensions_is_understood() {
    let said = "Wrong input: Vector dimension error: expected dim: 768, got 3";
    let (error, _) = search_meets(&says_no(400, said)).await;
    assert!(matches!(error, QdrantError::WrongDimensions { expected: 768, found: 3 }), "{error:?}");
    for odd in ["Vector dimension error: expected dim: x, got y", "Vector dimension error: expected dim: 1"] {
        let (error, _) = search_meets(&says_no(400, odd)).await;
        assert!(matches!(error, QdrantError::Refused { status: 400, .. }), "{error:?}");
    }
}

#[tokio::test]
async fn what_is_no_answer_of_qdrant_is_malformed() {
    let ok = |result: &Value| answer(200, &json!({ "result": result, "status": "ok", "time": 0.0 }));
    let payload = json!({ "app": "1", "silo": "10", "document": "1", "chunk": 1 });
    let hit = |id: Value, payload: &Value| json!({ "id": id, "version": 0, "score": 1.0, "payload": payload });
    let eleven: Vec<_> = (0..11).map(|id| hit(id.into(), &payload)).collect();
    let cases = [
        Mishap::Answer(200, "text/html", b"<!doctype html><title>Welcome</title>".to_vec()),
        Mishap::Answer(200, "application/json", Vec::new()),
        Mishap::Answer(200, "application/json", b"{\"result\":".to_vec()),
        Mishap::Answer(200, "application/json", "[".repeat(100_000).into_bytes()),
        Mishap::Answer(200, "application/json", vec![b' '; 65 * 1024 * 1024]),
        answer(200, &json!({ "result": { "points": [] }, "status": "accepted", "time": 0.0 })),
        answer(200, &json!({ "status": "ok", "time": 0.0 })),
        ok(&json!({ "points": "none" })),
        ok(&json!({ "points": [hit(1.into(), &json!({}))] })),
        ok(&json!({ "points": [hit("no uuid".into(), &payload)] })),
        ok(&json!({ "points": [hit((-1).into(), &payload)] })),
        ok(&json!({ "points": [hit(1.into(), &json!({ "app": "1", "silo": "10", "document": "x", "chunk": 1 }))] })),
        ok(&json!({ "points": eleven })),
    ];
    for (number, mishap) in cases.iter().enumerate() {
        let (error, tried) = search_meets(mishap).await;
        assert_eq!((error.code(), tried), ("vector_store_malformed", 1), "case {number}: {error:?}");
    }
}

#[tokio::test]
async fn a_vector_that_was_asked_for_and_is_not_there_is_noticed() {
    let payload = json!({ "app": "1", "silo": "10", "document": "1", "chunk": 1 });
    for vector in [Value::Null, json!([1.0])] {
        let (fake, qdrant, collection) = ready().await;
        let point = json!({ "id": 1, "version": 0, "score": 1.0, "payload": payload, "vector": vector });
        fake.next(answer(200, &json!({ "result": { "points": [point] }, "status": "ok", "time": 0.0 })));
        let search = Search { with_vectors: true, ..near(Filter::everything_of(HERE)) };
        let error = qdrant.search(&collection, &search).await.unwrap_err();
        assert_eq!(error.code(), "vector_store_malformed", "{error:?}");
    }
}

#[tokio::test]
async fn a_short_absence_is_not_noticed() {
    let (fake, qdrant, collection) = ready().await;
    fake.next(Mishap::Drop);
    fake.next(says_no(503, "shard is not ready"));
    qdrant.upsert(&collection, HERE, &fan()).await.unwrap();
    fake.next(Mishap::CutOff);
    assert_eq!(qdrant.count(&collection, &Filter::everything_of(HERE)).await.unwrap(), 4);
}

#[tokio::test]
async fn what_is_not_the_same_twice_is_done_once() {
    let fake = FakeQdrant::start().await;
    let qdrant = qdrant(&fake);
    let missing = says_no(404, "Not found: Collection `chunks_3` doesn't exist!");
    fake.next(missing);
    fake.next(says_no(503, "no leader"));
    let error = qdrant.ensure_collection(&collection()).await.unwrap_err();
    assert_eq!(error.code(), "vector_store_unavailable");
    assert_eq!(fake.requests().len(), 2);
}

#[tokio::test]
async fn a_change_that_is_not_made_in_time_is_not_called_made() {
    let (fake, qdrant, collection) = ready().await;
    fake.next(answer(
        200,
        &json!({ "result": { "operation_id": 9, "status": "wait_timeout" }, "status": "ok", "time": 1 }),
    ));
    let error = qdrant.upsert(&collection, HERE, &fan()).await.unwrap_err();
    assert_eq!(error.code(), "vector_store_timeout");
}

/// The clock of the runtime is moved by hand, so that ten seconds take none.
#[tokio::test]
async fn a_silent_server_is_left_at_the_deadline() {
    let (fake, qdrant, collection) = ready().await;
    fake.next(Mishap::Silence);
    let filter = Filter::everything_of(HERE);
    let mut count = std::pin::pin!(qdrant.count(&collection, &filter));
    let before = fake.requests().len();
    omni_testkit::eventually("the server is asked", async || {
        let waiting = tokio::time::timeout(std::time::Duration::from_millis(1), &mut count).await;
        assert!(waiting.is_err(), "there is no answer");
        (fake.requests().len() > before).then_some(())
    })
    .await;
    tokio::time::pause();
    let error = count.await.unwrap_err();
    assert_eq!((error.code(), error.kind()), ("vector_store_timeout", ErrorKind::UpstreamTimeout));
    assert_eq!(fake.requests().len(), before + 1, "waiting once was long enough");
}

#[tokio::test]
async fn health_is_being_there_ready_and_open_to_this_key() {
    let fake = FakeQdrant::start_with_key(KEY).await;
    let with = |key: Option<&str>| Qdrant::new(egress(&fake), &fake.url(), key.map(SecretString::from)).unwrap();
    with(Some(KEY)).health().await.unwrap();
    assert!(fake.requests().iter().all(|request| request.api_key.as_deref() == Some(KEY)));
    for key in [None, Some("another")] {
        let error = with(key).health().await.unwrap_err();
        assert!(matches!(error, QdrantError::CredentialsRefused), "{error:?}");
    }
    fake.next(Mishap::Answer(503, "text/plain", b"some shards are not ready".to_vec()));
    assert_eq!(with(Some(KEY)).health().await.unwrap_err().code(), "vector_store_unavailable");

    let url = fake.url();
    let egress = egress(&fake);
    drop(fake);
    let error = Qdrant::new(egress, &url, None).unwrap().health().await.unwrap_err();
    assert_eq!((error.code(), error.kind()), ("vector_store_unavailable", ErrorKind::Unavailable));
}

#[tokio::test]
async fn the_key_is_shown_to_nobody_else() {
    let fake = FakeQdrant::start_with_key(KEY).await;
    let qdrant = Qdrant::new(egress(&fake), &fake.url(), Some(SecretString::from(KEY))).unwrap();
    assert!(!format!("{qdrant:?}").contains(KEY));
    fake.next(says_no(400, "no"));
    let error = qdrant.health().await.unwrap_err();
    assert!(!format!("{error:?} {error}").contains(KEY));
    // A redirect is not followed, so the key goes nowhere.
    let before = fake.requests().len();
    fake.next(Mishap::Answer(307, "text/plain\r\nlocation: /elsewhere", Vec::new()));
    assert_eq!(qdrant.health().await.unwrap_err().code(), "vector_store_malformed");
    assert_eq!(fake.requests().len(), before + 1);
}

#[test]
fn an_address_that_cannot_be_used_is_known_at_once() {
    let egress = Egress::new(EgressPolicy { allow: Allow::nothing(), ..EgressPolicy::default() }).unwrap();
    let new = |url: &str, key: Option<&str>| Qdrant::new(egress.clone(), url, key.map(SecretString::from)).unwrap_err();
    for url in
        ["", "qdrant:6333", "ftp://qdrant.example/", "https://qdrant.example/?a=b", "https://a:b@qdrant.example/"]
    {
        assert!(matches!(new(url, None), QdrantError::BaseUrl { .. }), "{url}");
    }
    let error = new("http://127.0.0.1:6333", None);
    assert!(matches!(error, QdrantError::AddressRefused { .. }), "{error:?}");
    assert!(error.to_string().contains("OMNI_EGRESS_ALLOW"), "{error}");
    let error = new("https://qdrant.example", Some("key\nwith a line break"));
    assert!(matches!(error, QdrantError::KeyUnusable), "{error:?}");
}

#[tokio::test]
async fn a_server_behind_a_path_is_found_there() {
    let fake = FakeQdrant::start().await;
    for base in ["/vectors", "/vectors/"] {
        let qdrant = Qdrant::new(egress(&fake), &format!("{}{base}", fake.url()), None).unwrap();
        let _not_there = qdrant.count(&collection(), &Filter::everything_of(HERE)).await.unwrap_err();
        assert_eq!(fake.requests().pop().unwrap().line, "POST /vectors/collections/chunks_3/points/count");
    }
}
