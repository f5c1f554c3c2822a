//! What failures of the house tell: nothing. The logs of whole programs are searched in `bins/omni-api/tests`.

use serde_json::{Value, json};

use crate::plane::{CANARY, Plane};

fn requests() -> [(&'static str, Value); 3] {
    let unknown = format!("svc_discord_{:032x}", 1);
    [
        ("services/register", json!({ "name": "discord", "type": "channel", "pid": 1 })),
        ("services/heartbeat", json!({ "serviceId": unknown, "status": "healthy" })),
        ("services/deregister", json!({ "serviceId": unknown })),
    ]
}

/// Row 21: an error of ours has one body, to the letter.
#[tokio::test(flavor = "multi_thread")]
async fn an_internal_error_says_that_and_nothing_else() {
    let plane = Plane::start().await;
    plane.database.sql().await.batch_execute("ALTER TABLE services RENAME TO elsewhere").await.unwrap();
    for (path, body) in requests() {
        let host = plane.host();
        let headers = [("Host", &*host), ("Content-Type", "application/json")];
        let answer = plane.ask(&format!("POST /api/v2/_internal/{path}"), &headers, &body.to_string()).await;
        assert_eq!(answer.status, 500, "{answer}");
        assert_eq!(answer.body, r#"{"error":"Internal error","code":"INTERNAL_ERROR"}"#);
    }
    plane.control.stop().await.unwrap();
}

/// Row 21: what holds secrets shows none of them to whoever prints it.
#[test]
fn what_the_control_plane_holds_prints_without_its_secrets() {
    let config = crate::plane::subprocess_config();
    let told = serde_json::to_string(&config).unwrap();
    assert_eq!(told.matches(CANARY).count(), 2, "to whoever is told, it is all there");
    assert!(!format!("{config:?} {config:#?}").contains(CANARY), "{config:?}");
}
