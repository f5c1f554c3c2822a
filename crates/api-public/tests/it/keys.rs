//! API keys at work: which requests they open, how often, and what becomes of whoever guesses.

use futures::future::join_all;
use omni_testkit::{Answer, Client, ManualClock, TestApi};
use serde_json::{Value, json};

/// An app of `owner`'s, and a key of it that takes so many requests a minute.
async fn key(owner: &Client, rate_limit: u32) -> (i64, Value) {
    let app = owner.create_app("Our app").await;
    let body = json!({ "name": "A program", "rate_limit": rate_limit });
    let made = owner.post(&format!("/internal/api_keys?app_id={app}")).json(&body).send().await.expect(201);
    (app, made)
}

async fn ask(client: &Client, key: &Value) -> Answer {
    client.get("/public/v1/key").header("x-api-key", key.as_str().unwrap()).send().await
}

#[tokio::test]
async fn a_key_opens_its_app_however_it_is_sent() {
    let api = TestApi::start().await;
    let owner = api.client("owner@example.com").await;
    let (app, made) = key(&owner, 0).await;
    let nobody = api.anonymous();
    let known = ask(&nobody, &made["key"]).await;
    let shown = json!({ "key_id": made["key_id"], "name": "A program", "app_id": app, "rate_limit": 0 });
    assert_eq!(known.expect(200), shown);
    assert_eq!(known.header("x-ratelimit-limit"), None, "it has none");
    for scheme in ["Bearer", "bearer"] {
        let token = format!("{scheme} {}", made["key"].as_str().unwrap());
        let known = nobody.get("/public/v1/key/").header("authorization", &token).send().await;
        assert_eq!(known.expect(200), shown);
    }
    let keys = format!("/internal/api_keys?app_id={app}");
    let used = owner.get(&keys).send().await.expect(200)[0]["last_used_at"].clone();
    assert!(used.is_string(), "{used}");
    api.clock().advance(time::Duration::minutes(2));
    ask(&nobody, &made["key"]).await.expect(200);
    assert_ne!(owner.get(&keys).send().await.expect(200)[0]["last_used_at"], used);
}

#[tokio::test]
async fn a_session_opens_nothing_here_and_a_key_nothing_there() {
    let api = TestApi::start().await;
    let owner = api.client("owner@example.com").await;
    let (_, made) = key(&owner, 0).await;
    owner.get("/public/v1/key").send().await.refusal(401);
    let answer = api.anonymous().get("/internal/apps").header("x-api-key", made["key"].as_str().unwrap());
    answer.send().await.refusal(401);
    api.anonymous().get("/public/v1/nothing").send().await.refusal(404);
    api.anonymous().post("/public/v1/key").send().await.refusal(405);
    let document = api.anonymous().get("/docs/public/openapi.json").send().await.expect(200);
    assert_eq!(document["components"]["securitySchemes"]["api_key"]["name"], json!("X-API-KEY"));
    assert!(document["paths"]["/public/v1/key"].is_object());
}

#[tokio::test]
async fn what_is_revoked_or_whose_owner_is_shut_out_opens_nothing_from_the_next_request_on() {
    let api = TestApi::start().await;
    let owner = api.client("owner@example.com").await;
    let (app, made) = key(&owner, 0).await;
    let nobody = api.anonymous();
    ask(&nobody, &made["key"]).await.expect(200);
    let shut = format!("UPDATE users SET is_active = false WHERE user_id = {}", owner.user_id);
    api.database().sql().await.batch_execute(&shut).await.unwrap();
    assert_eq!(ask(&nobody, &made["key"]).await.refusal(403), "this account is deactivated");
    let open = format!("UPDATE users SET is_active = true WHERE user_id = {}", owner.user_id);
    api.database().sql().await.batch_execute(&open).await.unwrap();
    ask(&nobody, &made["key"]).await.expect(200);
    owner.delete(&format!("/internal/api_keys/{}?app_id={app}", made["key_id"])).send().await.expect(200);
    assert!(ask(&nobody, &made["key"]).await.refusal(401).contains("X-API-KEY"));
}

#[tokio::test]
async fn what_is_revoked_at_one_replica_opens_nothing_at_another_from_the_next_request_on() {
    let api = TestApi::start().await;
    let replica = TestApi::builder().database(api.database()).clock(api.clock()).start().await;
    let owner = api.client("owner@example.com").await;
    let (app, made) = key(&owner, 0).await;
    let (here, there) = (api.anonymous(), replica.anonymous());
    for nobody in [&here, &there] {
        ask(nobody, &made["key"]).await.expect(200);
    }
    owner.delete(&format!("/internal/api_keys/{}?app_id={app}", made["key_id"])).send().await.expect(200);
    let refused = [&there, &here].map(async |nobody| ask(nobody, &made["key"]).await);
    let unknown = ask(&there, &json!("mattin_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")).await;
    for answer in join_all(refused).await {
        answer.refusal(401);
        assert_eq!(answer.bytes(), unknown.bytes(), "a key that was revoked is one that never was");
    }
}

#[tokio::test]
async fn a_hundred_a_minute_are_a_hundred_from_four_connections_to_two_replicas() {
    let api = TestApi::start().await;
    let replica = TestApi::builder().database(api.database()).clock(api.clock()).start().await;
    let owner = api.client("owner@example.com").await;
    let (_, made) = key(&owner, 100).await;
    let clients = [api.anonymous(), replica.anonymous(), api.anonymous(), replica.anonymous()];
    let burst = || async {
        let sent = clients.iter().flat_map(|client| (0..40).map(|_| ask(client, &made["key"])));
        join_all(sent).await
    };
    let accepted = |answers: &[Answer]| answers.iter().filter(|answer| answer.status == 200).count();
    let answers = burst().await;
    assert_eq!((answers.len(), accepted(&answers)), (160, 100));
    let refused = answers.iter().find(|answer| answer.status != 200).unwrap();
    assert!(refused.refusal(429).starts_with("this key takes 100 requests a minute"), "{refused}");
    let waits: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=60).contains(&waits));
    assert_eq!(refused.header("x-ratelimit-remaining"), Some("0"));
    let mut left: Vec<u32> = answers
        .iter()
        .filter(|answer| answer.status == 200)
        .map(|answer| answer.header("x-ratelimit-remaining").unwrap().parse().unwrap())
        .collect();
    left.sort_unstable();
    assert_eq!(left, (0..100).collect::<Vec<_>>(), "each is told how many are left");

    api.clock().advance(time::Duration::seconds(waits.try_into().unwrap()));
    assert_eq!(accepted(&burst().await), 100, "the next minute has its own");
}

#[tokio::test]
async fn whoever_guesses_is_slowed_and_nobody_else() {
    let clock = ManualClock::default();
    let api = TestApi::builder().clock(&clock).behind_proxies().start().await;
    let owner = api.client("owner@example.com").await;
    let (_, made) = key(&owner, 0).await;
    let nobody = api.anonymous();
    let from = async |address: &str, key: &Value| {
        let call = nobody.get("/public/v1/key").header("x-forwarded-for", address);
        call.header("x-api-key", key.as_str().unwrap()).send().await
    };
    let wrong = json!("mattin_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
    for _ in 0..30 {
        from("203.0.113.7", &wrong).await.refusal(401);
    }
    let slowed = from("203.0.113.7", &wrong).await;
    assert!(slowed.refusal(429).contains("too many attempts"), "{slowed}");
    let waits: i64 = slowed.header("retry-after").unwrap().parse().unwrap();
    from("203.0.113.7", &made["key"]).await.expect(200);
    from("203.0.113.8", &made["key"]).await.expect(200);
    from("6.6.6.6, 203.0.113.7", &wrong).await.refusal(429);
    from("203.0.113.7, 198.51.100.1", &made["key"]).await.expect(200);
    clock.advance(time::Duration::seconds(waits));
    from("203.0.113.7", &wrong).await.refusal(401);

    let operator = api.client("omniadmin@example.com").await;
    let seen = operator.get("/internal/admin/audit?action=api_key.use&outcome=refused").send().await.expect(200);
    assert_eq!((&seen["total"], &seen["items"][0]["origin"]["address"]), (&json!(31), &json!("203.0.113.7")));
    assert!(!seen.to_string().contains("mattin_"), "what was guessed is not kept");
}

#[tokio::test]
async fn without_a_trusted_proxy_nobody_hides_behind_a_header() {
    let api = TestApi::start().await;
    let nobody = api.anonymous();
    let guess = async |address: &str| {
        let call = nobody.get("/public/v1/key").header("x-forwarded-for", address);
        call.header("x-api-key", "mattin_wrong").send().await
    };
    for last in 0..30 {
        guess(&format!("203.0.113.{last}")).await.refusal(401);
    }
    guess("203.0.113.99").await.refusal(429);
}
