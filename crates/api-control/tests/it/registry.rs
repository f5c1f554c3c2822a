//! The service registry as services see it.

use serde_json::{Value, json};

use crate::plane::Plane;

fn discord(pid: u32, metadata: &Value) -> Value {
    json!({ "name": "discord", "type": "channel", "pid": pid, "metadata": metadata })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_lives_from_registration_to_deregistration() {
    let plane = Plane::start().await;
    let token = json!({ "spawnToken": "0123456789abcdef" });
    let service = plane.register(discord(100, &token)).await;
    assert_eq!((&service["heartbeatIntervalMs"], &service["leaseTtlMs"]), (&json!(10_000), &json!(30_000)));
    let by_its_parent = plane.register(discord(7, &token)).await;
    assert_eq!(by_its_parent["serviceId"], service["serviceId"]);
    assert_eq!(by_its_parent["generation"], service["generation"]);

    assert_eq!(plane.beat(&service).await, (200, json!({ "acknowledged": true })));
    assert_eq!(plane.channel_is_up().await, json!(true));

    for _ in 0..2 {
        let goodbye = json!({ "serviceId": service["serviceId"], "reason": "exited:0" });
        assert_eq!(plane.post("services/deregister", goodbye).await, (200, json!({ "success": true })));
    }
    let (status, gone) = plane.beat(&service).await;
    assert_eq!((status, &gone["acknowledged"], &gone["code"]), (410, &json!(false), &json!("SERVICE_GONE")));
    let (status, again) = plane.post("services/register", discord(100, &token)).await;
    assert_eq!((status, &again["code"]), (410, &json!("SERVICE_GONE")), "a token is good for one life");
    assert_eq!(plane.channel_is_up().await, Value::Null);
    plane.control.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_channel_supersedes_the_old_one() {
    let plane = Plane::start().await;
    let old = plane.register(discord(1, &json!({ "startTime": 10 }))).await;
    let new = plane.register(discord(1, &json!({ "startTime": 20 }))).await;
    assert!(new["generation"].as_i64() > old["generation"].as_i64());
    let (status, answer) = plane.beat(&old).await;
    assert_eq!((status, &answer["acknowledged"]), (409, &json!(false)));
    assert_eq!(answer["commands"][0]["type"], "shutdown");
    assert_eq!(answer["commands"][0]["data"]["reason"], "superseded");
    assert_eq!(plane.beat(&new).await.0, 200);
    plane.control.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn workers_stand_beside_each_other_unless_one_is_to_be_alone() {
    let plane = Plane::start().await;
    let worker = |start: u32, alone: bool| {
        let metadata = json!({ "startTime": start, "singleton": alone });
        json!({ "name": "gateway", "type": "worker", "pid": 1, "metadata": metadata })
    };
    let (first, second) = (plane.register(worker(1, false)).await, plane.register(worker(2, false)).await);
    assert_eq!(plane.beat(&first).await, (200, json!({ "acknowledged": true })));

    let alone = plane.register(worker(3, true)).await;
    for other in [&first, &second] {
        let (status, answer) = plane.beat(other).await;
        let data = &answer["commands"][0]["data"];
        assert_eq!((status, &answer["commands"][0]["type"]), (200, &json!("shutdown")), "{answer}");
        assert_eq!((&data["reason"], &data["generation"]), (&json!("superseded"), &other["generation"]));
        assert!(data["deadlineMs"].as_u64().is_some_and(|left| left <= 60_000), "{data}");
        assert_eq!(plane.beat(other).await.1["commands"][0]["data"]["commandId"], data["commandId"]);
    }
    assert_eq!(plane.beat(&alone).await, (200, json!({ "acknowledged": true })));
    plane.control.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_named_and_what_is_unknown_is_not_found() {
    let plane = Plane::start().await;
    let (status, answer) = plane.beat(&json!({ "serviceId": "svc_nobody_0" })).await;
    assert_eq!((status, &answer["code"]), (404, &json!("SERVICE_UNKNOWN")));
    let elsewhere = json!({ "name": "a", "type": "worker", "pid": 1, "healthEndpoint": "http://10.0.0.1/" });
    for (body, field) in [
        (json!({ "name": "a", "type": "worker" }), "pid"),
        (json!({ "name": "a b", "type": "worker", "pid": 1 }), "name"),
        (json!({ "name": "a", "type": "robot", "pid": 1 }), "type"),
        (elsewhere, "healthEndpoint"),
    ] {
        let (status, answer) = plane.post("services/register", body).await;
        assert_eq!(status, 400, "{answer}");
        assert!(answer["error"].as_str().unwrap().starts_with(field), "{answer}");
    }
    let goodbye = json!({ "serviceId": "svc_nobody_0" });
    assert_eq!(plane.post("services/deregister", goodbye).await, (200, json!({ "success": true })));
    plane.control.stop().await.unwrap();
}
