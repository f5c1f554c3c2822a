//! Wrong guesses at somebody's way in are slowed, by address and by account.

use omni_testkit::TestApi;
use serde_json::json;

#[tokio::test]
async fn forged_callbacks_are_slowed_by_address() {
    let api = TestApi::builder().not_fake().behind_proxies().start().await;
    let nobody = api.anonymous();
    let forged = async |address: &str| {
        let call = nobody.get("/internal/auth/callback?state=forged&code=forged");
        call.header("x-forwarded-for", address).send().await
    };
    for _ in 0..30 {
        forged("203.0.113.7").await.refusal(400);
    }
    let slowed = forged("203.0.113.7").await;
    assert!(slowed.refusal(429).contains("try again"), "{slowed}");
    assert!(slowed.header("retry-after").is_some());
    forged("203.0.113.8").await.refusal(400);
    api.clock().advance(time::Duration::minutes(1));
    forged("203.0.113.7").await.refusal(400);
}

#[tokio::test]
async fn attempts_at_an_account_that_is_shut_are_slowed_wherever_they_come_from() {
    let api = TestApi::builder().behind_proxies().start().await;
    let shut = api.client("shut@example.com").await;
    let statement = format!("UPDATE users SET is_active = false WHERE user_id = {}", shut.user_id);
    api.database().sql().await.batch_execute(&statement).await.unwrap();
    let knock = async |email: &str, last: usize| {
        let call = api.anonymous().post("/internal/auth/dev-login").json(&json!({ "email": email }));
        call.header("x-forwarded-for", &format!("203.0.113.{last}")).send().await
    };
    for last in 0..10 {
        knock("shut@example.com", last).await.refusal(403);
    }
    knock("Shut@example.com", 99).await.refusal(429);
    knock("other@example.com", 99).await.expect(200);
    let operator = api.client("omniadmin@example.com").await;
    let seen = operator.get("/internal/admin/audit?outcome=refused&action=session.begin").send().await.expect(200);
    let told = &seen["items"][0];
    assert_eq!((&seen["total"], &told["reason"]), (&json!(10), &json!("account_deactivated")));
    assert_eq!(told["actor"]["name"], json!("shut@example.com"));
}
