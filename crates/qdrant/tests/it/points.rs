use insta::assert_json_snapshot;
use omni_domain::DocumentId;
use omni_qdrant::{Condition, Filter, PointId, QdrantError};
use serde_json::json;

use crate::setting::{HERE, chunks, fan, near, point, ready};

#[tokio::test]
async fn points_are_stored_counted_and_removed() {
    let (fake, qdrant, collection) = ready().await;
    let everything = Filter::everything_of(HERE);
    qdrant.upsert(&collection, HERE, &fan()).await.unwrap();
    // The same once more changes nothing.
    qdrant.upsert(&collection, HERE, &fan()).await.unwrap();
    assert_eq!(qdrant.count(&collection, &everything).await.unwrap(), 4);

    let two = Filter::everything_of(HERE).and(Condition::Documents(vec![DocumentId::new(2), DocumentId::new(3)]));
    assert_eq!(qdrant.count(&collection, &two).await.unwrap(), 2);
    qdrant.delete_points(&collection, &two).await.unwrap();
    assert_eq!(chunks(&qdrant.search(&collection, &near(everything.clone())).await.unwrap()), [1, 4]);
    // None of nobody's documents are meant by no document.
    let none = Filter::everything_of(HERE).and(Condition::Documents(Vec::new()));
    qdrant.delete_points(&collection, &none).await.unwrap();
    assert_eq!(fake.points("chunks_3"), Some(2));
    qdrant.delete_points(&collection, &everything).await.unwrap();
    assert_eq!(fake.points("chunks_3"), Some(0));
}

#[tokio::test]
async fn a_point_looks_so_on_the_wire() {
    let (fake, qdrant, collection) = ready().await;
    let mut named = point(2, [0.1, -0.5, 1.0], json!({}));
    named.id = PointId::Uuid("550e8400-e29b-41d4-a716-446655440000".parse().unwrap());
    let points = [point(1, [1.0, 0.0, 0.5], json!({ "language": "en", "pages": [1, 2] })), named.clone()];
    qdrant.upsert(&collection, HERE, &points).await.unwrap();
    let sent = fake.requests().pop().unwrap();
    assert_json_snapshot!(json!([sent.line, sent.body]));
    let hits = qdrant.search(&collection, &near(Filter::everything_of(HERE))).await.unwrap();
    assert_eq!(hits[1].id, named.id);
    assert_eq!(hits[0].metadata, points[0].metadata);
}

#[tokio::test]
async fn many_points_go_in_requests_of_a_bounded_size() {
    let (fake, qdrant, collection) = ready().await;
    let mut points = Vec::new();
    for number in 0..600_u64 {
        let mut point = point(1, [1.0, 0.0, 0.0], json!({}));
        point.id = PointId::Number(number);
        points.push(point);
    }
    let before = fake.requests().len();
    qdrant.upsert(&collection, HERE, &points).await.unwrap();
    let sizes = |from: usize| -> Vec<usize> {
        let sent = fake.requests().into_iter().skip(from);
        sent.map(|request| request.body["points"].as_array().unwrap().len()).collect()
    };
    assert_eq!(sizes(before), [256, 256, 88]);
    assert_eq!(fake.points("chunks_3"), Some(600));

    let before = fake.requests().len();
    let large: Vec<_> = (1..=3).map(|n| point(n, [1.0, 0.0, 0.0], json!({ "text": "x".repeat(3 << 20) }))).collect();
    qdrant.upsert(&collection, HERE, &large).await.unwrap();
    assert_eq!(sizes(before), [2, 1]);

    let before = fake.requests().len();
    qdrant.upsert(&collection, HERE, &[]).await.unwrap();
    assert_eq!(fake.requests().len(), before, "nothing is nothing to send");
}

#[tokio::test]
async fn a_vector_that_does_not_fit_stops_all_before_any_is_sent() {
    let (fake, qdrant, collection) = ready().await;
    let before = fake.requests().len();
    let mut points = fan();
    points[3].vector.push(1.0);
    let error = qdrant.upsert(&collection, HERE, &points).await.unwrap_err();
    assert!(matches!(error, QdrantError::WrongDimensions { expected: 3, found: 4 }), "{error:?}");
    for number in [f32::NAN, f32::INFINITY] {
        points[3].vector = vec![0.0, number, 0.0];
        let error = qdrant.upsert(&collection, HERE, &points).await.unwrap_err();
        assert!(matches!(error, QdrantError::Invalid { field: "vector", .. }), "{error:?}");
    }
    assert_eq!(fake.requests().len(), before);
}
