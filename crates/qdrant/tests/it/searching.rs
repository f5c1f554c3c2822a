use insta::assert_json_snapshot;
use omni_domain::MetadataFilter;
use omni_qdrant::{Filter, QdrantError, Search};
use serde_json::{Value, json};

use crate::setting::{HERE, chunks, fan, near, point, ready};

#[tokio::test]
async fn the_nearest_come_first() {
    let (fake, qdrant, collection) = ready().await;
    qdrant.upsert(&collection, HERE, &fan()).await.unwrap();
    let search = near(Filter::everything_of(HERE));
    let hits = qdrant.search(&collection, &search).await.unwrap();
    assert_eq!(chunks(&hits), [1, 2, 3, 4]);
    for (hit, score) in hits.iter().zip([1.0, 0.8, 0.6, 0.0]) {
        assert!((hit.score - score).abs() < 1e-6, "{hit:?}");
        assert_eq!(hit.vector, None);
    }
    let sent = fake.requests().pop().unwrap();
    assert_json_snapshot!(json!([sent.line, sent.body]));

    let few = qdrant.search(&collection, &Search { limit: 2, ..search.clone() }).await.unwrap();
    assert_eq!(chunks(&few), [1, 2]);
    let alike = Search { score_threshold: Some(0.7), with_vectors: true, ..search };
    let alike = qdrant.search(&collection, &alike).await.unwrap();
    assert_eq!(chunks(&alike), [1, 2]);
    assert_eq!(alike[0].vector.as_deref(), Some([1.0, 0.0, 0.0].as_slice()), "scaled to length 1");
}

#[tokio::test]
async fn a_search_that_makes_no_sense_is_not_sent() {
    let (fake, qdrant, collection) = ready().await;
    let before = fake.requests().len();
    let search = near(Filter::everything_of(HERE));
    for limit in [0, 1_001] {
        let error = qdrant.search(&collection, &Search { limit, ..search.clone() }).await.unwrap_err();
        assert!(matches!(error, QdrantError::Invalid { field: "limit", .. }), "{error:?}");
    }
    let error = qdrant.search(&collection, &Search { score_threshold: Some(f32::NAN), ..search.clone() }).await;
    assert!(matches!(error, Err(QdrantError::Invalid { field: "score_threshold", .. })));
    let error = qdrant.search(&collection, &Search { vector: vec![1.0], ..search }).await;
    assert!(matches!(error, Err(QdrantError::WrongDimensions { expected: 3, found: 1 })));
    assert_eq!(fake.requests().len(), before);
}

/// What a filter means is what `MetadataFilter` says it means.
#[tokio::test]
async fn metadata_is_filtered_by_its_types() {
    let (_fake, qdrant, collection) = ready().await;
    let metadata = [
        json!({ "language": "en", "year": 2020, "draft": true, "day": "2026-01-15", "tags": ["a", "b"] }),
        json!({ "language": "de", "year": 2022.5, "draft": false, "day": "2026-01-15T01:00:00+01:00", "tags": [] }),
        json!({ "language": "2020", "year": "2020", "draft": "true", "day": "tomorrow", "tags": "a" }),
        json!({}),
    ];
    let points: Vec<_> =
        metadata.into_iter().zip(1..).map(|(data, number)| point(number, [1.0, 0.0, 0.0], data)).collect();
    qdrant.upsert(&collection, HERE, &points).await.unwrap();

    let cases: [(Value, &[i64]); 18] = [
        (json!({}), &[1, 2, 3, 4]),
        (json!({ "language": "en" }), &[1]),
        (json!({ "language": { "$ne": "en" } }), &[2, 3, 4]),
        (json!({ "language": { "$in": ["en", "de"] } }), &[1, 2]),
        (json!({ "year": 2020 }), &[1]),
        (json!({ "year": 2020.0 }), &[1]),
        (json!({ "year": 2022.5 }), &[2]),
        (json!({ "year": { "$gt": 2020 } }), &[2]),
        (json!({ "year": { "$gte": 2020, "$lt": 2022.5 } }), &[1]),
        (json!({ "year": { "$in": [2020, "2020"] } }), &[1, 3]),
        (json!({ "year": { "$ne": 2020 } }), &[2, 3, 4]),
        (json!({ "draft": true }), &[1]),
        (json!({ "draft": { "$in": [false, "true"] } }), &[2, 3]),
        (json!({ "day": "2026-01-15T00:00:00Z" }), &[1, 2]),
        (json!({ "day": { "$gt": "2026-01-14", "$lte": "2026-01-15" } }), &[1, 2]),
        (json!({ "tags": "a" }), &[1, 3]),
        (json!({ "tags": { "$ne": "b" } }), &[2, 3, 4]),
        (json!({ "language": "en", "draft": false }), &[]),
    ];
    for (filter, expected) in cases {
        let metadata = MetadataFilter::from_json("filter", &filter).unwrap();
        let meant = Filter::everything_of(HERE).metadata(&metadata);
        let mut found = chunks(&qdrant.search(&collection, &near(meant.clone())).await.unwrap());
        found.sort_unstable();
        assert_eq!(found, expected, "{filter}");
        let count = qdrant.count(&collection, &meant).await.unwrap();
        assert_eq!(usize::try_from(count).unwrap(), expected.len(), "{filter}");
    }
}
