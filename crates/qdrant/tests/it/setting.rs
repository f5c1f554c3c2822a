//! A server, a collection of three dimensions, and points in it.

use omni_domain::{AppId, ChunkId, DocumentId, SiloId};
use omni_egress::{Allow, Egress, EgressPolicy};
use omni_qdrant::{Collection, Filter, Hit, Point, PointId, Qdrant, Search, Tenant};
use omni_testkit::FakeQdrant;
use serde_json::{Value, json};

pub(crate) const HERE: Tenant = Tenant { app: AppId::new(1), silo: SiloId::new(10) };

pub(crate) fn egress(fake: &FakeQdrant) -> Egress {
    let allow = Allow::parse(fake.address()).unwrap();
    Egress::new(EgressPolicy { allow, ..EgressPolicy::default() }).unwrap()
}

pub(crate) fn qdrant(fake: &FakeQdrant) -> Qdrant {
    Qdrant::new(egress(fake), &fake.url(), None).unwrap()
}

pub(crate) fn collection() -> Collection {
    Collection::new("chunks_3", 3).unwrap()
}

/// A server with the collection, empty.
pub(crate) async fn ready() -> (FakeQdrant, Qdrant, Collection) {
    let fake = FakeQdrant::start().await;
    let (qdrant, collection) = (qdrant(&fake), collection());
    qdrant.ensure_collection(&collection).await.unwrap();
    (fake, qdrant, collection)
}

/// The point of this number, chunk of the document of this number.
pub(crate) fn point(number: u8, vector: [f32; 3], metadata: Value) -> Point {
    let Value::Object(metadata) = metadata else { panic!("metadata is an object") };
    Point {
        id: PointId::Number(number.into()),
        vector: vector.to_vec(),
        document: DocumentId::new(number.into()),
        chunk: ChunkId::new(number.into()),
        metadata,
    }
}

/// Points that lie further and further from `[1, 0, 0]`: cosine 1, 0.8, 0.6, 0.
pub(crate) fn fan() -> Vec<Point> {
    [[2.0, 0.0, 0.0], [0.8, 0.6, 0.0], [0.6, 0.8, 0.0], [0.0, 0.0, 1.0]]
        .into_iter()
        .zip(1..)
        .map(|(vector, number)| point(number, vector, json!({ "n": number })))
        .collect()
}

pub(crate) fn near(filter: Filter) -> Search {
    Search { vector: vec![1.0, 0.0, 0.0], filter, limit: 10, score_threshold: None, with_vectors: false }
}

pub(crate) fn chunks(hits: &[Hit]) -> Vec<i64> {
    hits.iter().map(|hit| hit.chunk.get()).collect()
}
