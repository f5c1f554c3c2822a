//! API keys: shown once, kept as a digest, revoked for good.

use omni_api_workspace::ROUTES;
use omni_testkit::{Cast, TestApi};
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::scene::{Ids, call, name, performer};

#[tokio::test]
async fn a_key_is_shown_once_and_kept_as_its_digest() {
    let api = TestApi::start().await;
    let cast = Cast::gather(&api).await;
    let keys = format!("/internal/api_keys?app_id={}", cast.app);
    let wanted = json!({ "name": "Production API Key", "rate_limit": 100 });
    let made = cast.owner.post(&keys).json(&wanted).send().await.expect(201);
    let key = made["key"].as_str().unwrap();
    assert!(key.starts_with("mattin_") && key.len() == "mattin_".len() + 43, "{key}");
    assert_eq!((&made["name"], &made["rate_limit"]), (&wanted["name"], &wanted["rate_limit"]));
    let other = cast.owner.post(&keys).json(&wanted).send().await.expect(201);
    assert_ne!(made["key"], other["key"]);

    let listed = cast.viewer.get(&keys).send().await;
    assert_eq!(listed.expect(200)[0]["key_preview"], json!(format!("****{}", &key[key.len() - 4..])));
    assert!(!listed.bytes().contains(key));
    let sql = api.database().sql().await;
    let row = sql.query_one("SELECT key_digest, k::text FROM api_keys k ORDER BY key_id LIMIT 1", &[]).await.unwrap();
    assert_eq!(row.get::<_, Vec<u8>>(0), Sha256::digest(key.as_bytes()).to_vec());
    assert!(!row.get::<_, String>(1).contains(&key["mattin_".len()..]));

    cast.owner.delete(&format!("/internal/api_keys/{}", made["key_id"])).send().await.expect(200);
    cast.owner.delete(&format!("/internal/api_keys/{}", made["key_id"])).send().await.refusal(404);
    assert_eq!(cast.viewer.get(&keys).send().await.expect(200).as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn no_route_and_no_table_has_the_key_itself() {
    let api = TestApi::start().await;
    let cast = Cast::gather(&api).await;
    let ids = Ids::make(&cast.owner, cast.app).await;
    let keys = format!("/internal/api_keys?app_id={}", cast.app);
    let made = cast.owner.post(&keys).json(&json!({ "name": "Ours", "rate_limit": 100 })).send().await.expect(201);
    let secret = made["key"].as_str().unwrap().trim_start_matches("mattin_");
    let ids = Ids { key: made["key_id"].as_i64().unwrap(), ..ids };
    for route in ROUTES.iter().filter(|route| route.method.is_safe()) {
        let client = performer(&api, &cast.owner, route, ids).await;
        for client in [&client, &cast.omniadmin] {
            let answer = call(client, route, ids).send().await;
            assert!(!answer.bytes().contains(secret), "{} gives the key out", name(route));
        }
    }
    let refused = cast.owner.put(&format!("/internal/api_keys/{}", ids.key)).json(&made).send().await;
    assert!(!refused.bytes().contains(secret));
    let sql = api.database().sql().await;
    let tables = "SELECT table_name::text FROM information_schema.tables WHERE table_schema = 'public'";
    let tables: Vec<String> = sql.query(tables, &[]).await.unwrap().iter().map(|row| row.get(0)).collect();
    assert!(tables.len() > 15, "{tables:?}");
    for table in tables {
        let kept = format!("SELECT FROM \"{table}\" t WHERE t::text LIKE '%{secret}%'");
        assert!(!sql.any(&kept).await, "{table} has the key");
    }
}

#[tokio::test]
async fn a_key_that_breaks_a_rule_is_not_made() {
    let api = TestApi::start().await;
    let owner = api.client("owner@example.com").await;
    let keys = format!("/internal/api_keys?app_id={}", owner.create_app("Our app").await);
    for (body, field) in [
        (json!({}), "name"),
        (json!({ "name": "  " }), "name"),
        (json!({ "name": "x", "rate_limit": -1 }), "rate_limit"),
        (json!({ "name": "x", "rate_limit": 1_000_001 }), "rate_limit"),
        (json!({ "name": "x", "rate_limit": "many" }), "rate_limit"),
    ] {
        let refused = owner.post(&keys).json(&body).send().await;
        assert!(refused.refusal(400).starts_with(field), "{refused}");
    }
    assert_eq!(owner.get(&keys).send().await.expect(200), json!([]));
}
