use insta::assert_json_snapshot;
use omni_domain::{ErrorKind, Failure};
use omni_qdrant::{Collection, QdrantError};
use omni_testkit::{FakeQdrant, Mishap};
use serde_json::json;

use crate::setting::{HERE, collection, fan, qdrant, ready};

#[tokio::test]
async fn a_collection_is_made_for_many_tenants() {
    let (fake, _, _) = ready().await;
    let sent: Vec<_> = fake.requests().into_iter().map(|request| json!([request.line, request.body])).collect();
    assert_json_snapshot!(sent);
}

#[tokio::test]
async fn what_is_there_is_left_as_it_is() {
    let (fake, qdrant, collection) = ready().await;
    qdrant.upsert(&collection, HERE, &fan()).await.unwrap();
    let before = fake.requests().len();
    qdrant.ensure_collection(&collection).await.unwrap();
    let asked: Vec<_> = fake.requests().into_iter().skip(before).map(|request| request.line).collect();
    assert_eq!(asked, ["GET /collections/chunks_3"]);
    assert_eq!(fake.points("chunks_3"), Some(4));
}

#[tokio::test]
async fn many_who_make_it_at_once_all_find_it_made() {
    let fake = FakeQdrant::start().await;
    let (qdrant, collection) = (qdrant(&fake), collection());
    let (a, b, c) = tokio::join!(
        qdrant.ensure_collection(&collection),
        qdrant.ensure_collection(&collection),
        qdrant.ensure_collection(&collection),
    );
    a.and(b).and(c).unwrap();
    assert_eq!(fake.points("chunks_3"), Some(0));
}

/// The two that come at once, as one script: the creation is refused, and the collection is there.
#[tokio::test]
async fn somebody_else_who_was_faster_is_as_good() {
    let fake = FakeQdrant::start().await;
    let (qdrant, collection) = (qdrant(&fake), collection());
    qdrant.ensure_collection(&collection).await.unwrap();
    let missing = br#"{"status":{"error":"Not found: Collection `chunks_3` doesn't exist!"},"time":0.1}"#;
    fake.next(Mishap::Answer(404, "application/json", missing.to_vec()));
    qdrant.ensure_collection(&collection).await.unwrap();
    assert!(fake.requests().iter().filter(|request| request.line == "PUT /collections/chunks_3").count() == 2);
}

#[tokio::test]
async fn a_collection_for_other_vectors_is_not_taken_for_this_one() {
    let (fake, qdrant, _) = ready().await;
    let other = Collection::new("chunks_3", 4).unwrap();
    let error = qdrant.ensure_collection(&other).await.unwrap_err();
    assert!(matches!(error, QdrantError::WrongDimensions { expected: 3, found: 4 }), "{error:?}");
    assert_eq!((error.kind(), error.code()), (ErrorKind::Conflict, "wrong_dimensions"));

    let dot = br#"{"result":{"config":{"params":{"vectors":{"size":3,"distance":"Dot"}}}},"status":"ok","time":0}"#;
    fake.next(Mishap::Answer(200, "application/json", dot.to_vec()));
    let error = qdrant.ensure_collection(&collection()).await.unwrap_err();
    assert!(matches!(error, QdrantError::Invalid { field: "collection", .. }), "{error:?}");
}

#[tokio::test]
async fn a_collection_goes_with_all_that_is_in_it() {
    let (fake, qdrant, collection) = ready().await;
    qdrant.upsert(&collection, HERE, &fan()).await.unwrap();
    assert!(qdrant.delete_collection(&collection).await.unwrap());
    assert!(!qdrant.delete_collection(&collection).await.unwrap());
    assert_eq!(fake.points("chunks_3"), None);
    let error = qdrant.upsert(&collection, HERE, &fan()).await.unwrap_err();
    assert!(matches!(error, QdrantError::NoCollection), "{error:?}");
    assert_eq!(error.code(), "no_vector_collection");
}

#[test]
fn names_that_would_need_an_escape_are_none() {
    let long = "x".repeat(201);
    for name in ["", "a/b", "..", "a b", "ü", "a?b", "a%2Fb", &long] {
        assert!(matches!(Collection::new(name, 3), Err(QdrantError::Invalid { field: "collection", .. })), "{name}");
    }
    for dimensions in [0, 65_537] {
        let made = Collection::new("a", dimensions);
        assert!(matches!(made, Err(QdrantError::Invalid { field: "dimensions", .. })), "{dimensions}");
    }
    assert_eq!(Collection::new("omni-chunks_1536", 1536).unwrap().dimensions(), 1536);
}
