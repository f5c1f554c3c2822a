use omni_domain::{AppId, SiloId};
use omni_qdrant::{Condition, Filter, QdrantError, Tenant};
use omni_testkit::Mishap;
use serde_json::json;

use crate::setting::{HERE, chunks, near, point, ready};

const SAME_APP: Tenant = Tenant { app: AppId::new(1), silo: SiloId::new(11) };
const OTHER_APP: Tenant = Tenant { app: AppId::new(2), silo: SiloId::new(10) };

#[tokio::test]
async fn nobody_sees_counts_or_removes_what_is_somebody_elses() {
    let (fake, qdrant, collection) = ready().await;
    for (tenant, number) in [(HERE, 1), (SAME_APP, 2), (OTHER_APP, 3)] {
        qdrant.upsert(&collection, tenant, &[point(number, [1.0, 0.0, 0.0], json!({}))]).await.unwrap();
    }
    for (tenant, number) in [(HERE, 1), (SAME_APP, 2), (OTHER_APP, 3)] {
        let own = Filter::everything_of(tenant);
        assert_eq!(chunks(&qdrant.search(&collection, &near(own.clone())).await.unwrap()), [number]);
        assert_eq!(qdrant.count(&collection, &own).await.unwrap(), 1);
        // However a condition is turned, it stays within the tenant.
        let nothing = Condition::Not(Box::new(Condition::All(Vec::new())));
        let not_nothing = Filter::everything_of(tenant).and(Condition::Not(Box::new(nothing)));
        assert_eq!(qdrant.count(&collection, &not_nothing).await.unwrap(), 1);
    }
    qdrant.delete_points(&collection, &Filter::everything_of(HERE)).await.unwrap();
    assert_eq!(fake.points("chunks_3"), Some(2));
}

#[tokio::test]
async fn a_server_that_mixes_tenants_up_is_not_believed() {
    let (fake, qdrant, collection) = ready().await;
    for (app, silo) in [("2", "10"), ("1", "11")] {
        let payload = json!({ "app": app, "silo": silo, "document": "1", "chunk": 1, "metadata": {} });
        let point = json!({ "id": 1, "version": 0, "score": 1.0, "payload": payload });
        let answer = json!({ "result": { "points": [point] }, "status": "ok", "time": 0.0 });
        fake.next(Mishap::Answer(200, "application/json", answer.to_string().into_bytes()));
        let error = qdrant.search(&collection, &near(Filter::everything_of(HERE))).await.unwrap_err();
        assert!(
            matches!(error, QdrantError::Malformed { what: "it found what belongs to somebody else", .. }),
            "{error:?}"
        );
    }
}
