//! What is decided before anybody asks who is calling, and what every answer carries.

use omni_api_workspace::ROUTES;
use omni_testkit::{TestApi, raw};

use crate::scene::{Ids, filled, name, target};

#[tokio::test]
async fn own_pages_and_programs_may_change_things() {
    let api = TestApi::builder().public_url("https://omni.example").start().await;
    let owner = api.client("owner@example.com").await;
    let cookie = owner.cookie().unwrap().to_owned();
    let owner = owner.with_cookie(Some(&cookie));
    let make = || owner.post("/internal/apps").json(&serde_json::json!({ "name": "App" }));
    make().send().await.expect(201);
    make().header("origin", "https://omni.example").send().await.expect(201);
    make().header("origin", &format!("http://{}", api.address())).send().await.expect(201);
    make().header("sec-fetch-site", "same-origin").send().await.expect(201);
    make().header("sec-fetch-site", "none").send().await.expect(201);
}

#[tokio::test]
async fn fake_mode_answers_only_under_the_names_of_this_machine() {
    let api = TestApi::start().await;
    let get = async |host: &str| {
        let request = format!("GET /internal/version HTTP/1.1\r\n{host}Connection: close\r\n\r\n");
        raw(api.address(), request.as_bytes()).await
    };
    for host in ["localhost", "localhost:8000", "127.0.0.1", "[::1]:8000", "LOCALHOST"] {
        get(&format!("Host: {host}\r\n")).await.expect(200);
    }
    for host in ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "10.0.0.1", "user@localhost", ""] {
        assert!(get(&format!("Host: {host}\r\n")).await.refusal(403).contains("localhost"), "{host}");
    }
    for hosts in ["", "Host: localhost\r\nHost: evil.example\r\n"] {
        let answer = get(hosts).await;
        assert!(matches!(answer.status, 400 | 403), "{answer}");
    }
}

#[tokio::test]
async fn a_trailing_slash_changes_nothing() {
    let api = TestApi::start().await;
    let owner = api.client("omniadmin@example.com").await;
    let ids = Ids::make(&owner, owner.create_app("Our app").await).await;
    for route in ROUTES.iter().filter(|route| route.method.is_safe() && route.success == 200) {
        let plain = target(route, ids);
        let slashed = match plain.split_once('?') {
            Some((path, query)) => format!("{path}/?{query}"),
            None => format!("{plain}/"),
        };
        let (plain, slashed) = (owner.get(&plain).send().await, owner.get(&slashed).send().await);
        assert_eq!(plain.status, route.success, "{plain}");
        assert_eq!(plain.bytes(), slashed.bytes(), "{}", name(route));
    }
    let made = owner.post("/internal/apps/").json(&serde_json::json!({ "name": "Slashed" })).send().await;
    made.expect(201);
}

#[tokio::test]
async fn every_answer_has_a_request_id() {
    let api = TestApi::start().await;
    let owner = api.client("owner@example.com").await;
    let ids = Ids::make(&owner, owner.create_app("Our app").await).await;
    let mut seen = std::collections::BTreeSet::new();
    let mut asked = 0;
    for path in ROUTES.iter().map(|route| filled(route.path, ids)).chain(["/".into(), "/nowhere".into(), "//".into()]) {
        for client in [&owner, &api.anonymous()] {
            let answer = client.get(&path).send().await;
            asked += 1;
            seen.insert(answer.header("x-request-id").unwrap_or_else(|| panic!("{answer}")).to_owned());
        }
    }
    assert_eq!(seen.len(), asked, "each request has its own");
    let given = owner.get("/internal/me").header("x-request-id", "my-own-request-1").send().await;
    assert_eq!(given.header("x-request-id"), Some("my-own-request-1"));
    for forged in ["short", "with spaces in it", &"x".repeat(200), "new\tline-in-it"] {
        let answer = owner.get("/internal/me").header("x-request-id", forged).send().await;
        assert_ne!(answer.header("x-request-id"), Some(forged));
    }
}

#[tokio::test]
async fn it_says_that_it_is_alive_and_ready() {
    let api = TestApi::start().await;
    let nobody = api.anonymous();
    assert_eq!(nobody.get("/healthz").send().await.expect(200)["status"], "alive");
    assert_eq!(nobody.get("/readyz").send().await.expect(200)["database"], true);
    let sql = api.database().sql().await;
    sql.batch_execute(
        "DELETE FROM __diesel_schema_migrations WHERE version = (SELECT max(version) FROM \
        __diesel_schema_migrations)",
    )
    .await
    .unwrap();
    let answer = nobody.get("/readyz").send().await;
    assert!(answer.refusal(503).contains("schema"));
    assert!(answer.header("retry-after").is_some());
    nobody.get("/healthz").send().await.expect(200);
}
