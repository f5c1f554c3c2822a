//! Whose an address is, as the provider says it at each sign-in.

use omni_testkit::{Browser, IdentityProvider, TestApi};
use serde_json::{Value, json};

use crate::sign_in::{ADA, at, me, sign_in, signing_in_by};

/// Somebody's account once they have signed in.
async fn enter(api: &TestApi, person: &str) -> (Browser, Value) {
    let mut browser = Browser::default();
    let landed = sign_in(api, &mut browser, person).await;
    assert_eq!(landed.status, 303, "{person}: {landed}");
    let account = me(api, &mut browser).await;
    (browser, account)
}

async fn role(api: &TestApi, browser: &mut Browser) -> Value {
    me(api, browser).await["role"].clone()
}

#[tokio::test]
async fn an_address_that_the_provider_takes_away_counts_no_longer() {
    let provider = IdentityProvider::start();
    let api = signing_in_by(&provider).start().await;
    let (mut operator, account) = enter(&api, "1/omniadmin@example.com/verified").await;
    assert_eq!(account["role"], json!("omniadmin"));
    // It is still the person's, says the provider, but nothing proves it any more: in every session of theirs.
    let (_, unproven) = enter(&api, "1/omniadmin@example.com/unverified").await;
    assert_eq!((&unproven["user_id"], &unproven["role"]), (&account["user_id"], &json!("user")));
    assert_eq!(role(&api, &mut operator).await, json!("user"));
    enter(&api, "1/omniadmin@example.com/verified").await;
    assert_eq!(role(&api, &mut operator).await, json!("omniadmin"));
    // They have another one now, and the account with them.
    let (_, renamed) = enter(&api, "1/countess@example.com/verified").await;
    assert_eq!((&renamed["user_id"], &renamed["email"]), (&account["user_id"], &json!("countess@example.com")));
    assert_eq!(role(&api, &mut operator).await, json!("user"));
    // So the old one is somebody else's, who is known by it from now on.
    let (mut successor, other) = enter(&api, "2/omniadmin@example.com/verified").await;
    assert_ne!(other["user_id"], account["user_id"]);
    assert_eq!(other["role"], json!("omniadmin"));
    let (_, taken) = enter(&api, "1/omniadmin@example.com/verified").await;
    assert_eq!((&taken["user_id"], &taken["role"]), (&account["user_id"], &json!("user")));
    assert_eq!(taken["email"], json!("countess@example.com"));
    let trail = at(&api, "/internal/admin/audit?action=account.update");
    let trail = successor.open(&trail).await.expect(200);
    let changes: Vec<&Value> = trail["items"].as_array().unwrap().iter().map(|entry| &entry["changes"]).collect();
    assert_eq!(changes.len(), 4, "{trail}");
    let moved = json!({ "from": "omniadmin@example.com", "to": "countess@example.com" });
    assert_eq!(changes[1]["email"], moved, "{trail}");
}

#[tokio::test]
async fn an_invitation_stays_closed_to_whoever_had_the_address_before() {
    let provider = IdentityProvider::start();
    let api = signing_in_by(&provider).start().await;
    let (owner, _) = enter(&api, ADA).await;
    let owner = api.anonymous().with_cookie(owner.cookies(&at(&api, "/")).as_deref());
    let app = owner.create_app("Ours").await;
    let (bob, _) = enter(&api, "8/bob@example.com/verified").await;
    let invite = owner.post(&format!("/internal/collaboration/apps/{app}/invite"));
    let invited = invite.json(&json!({ "email": "bob@example.com" })).send().await.expect(201);
    enter(&api, "8/robert@example.com/verified").await;
    let bob = api.anonymous().with_cookie(bob.cookies(&at(&api, "/")).as_deref());
    bob.put(&format!("/internal/collaboration/{}/accept", invited["collab_id"])).send().await.refusal(404);
}

#[tokio::test]
async fn who_has_claimed_an_address_first_keeps_it_from_nobody_who_proves_it() {
    let provider = IdentityProvider::start();
    let api = signing_in_by(&provider).start().await;
    let (mut squatter, claimed) = enter(&api, "666/bob@example.com/unverified").await;
    assert_eq!(claimed["email"], json!("bob@example.com"));
    let (_, bob) = enter(&api, "8/bob@example.com/verified").await;
    assert_ne!(bob["user_id"], claimed["user_id"]);
    assert_eq!(bob["email"], json!("bob@example.com"));
    // The other one keeps the account, by another name, and claims nothing with it.
    let left = format!("account-{}@unproven.invalid", claimed["user_id"]);
    assert_eq!(me(&api, &mut squatter).await["email"], json!(left));
    let (_, again) = enter(&api, "666/bob@example.com/unverified").await;
    assert_eq!((&again["user_id"], &again["email"]), (&claimed["user_id"], &json!(left)));
    let (_, proven) = enter(&api, "666/mallory@example.com/verified").await;
    assert_eq!((&proven["user_id"], &proven["email"]), (&claimed["user_id"], &json!("mallory@example.com")));
}

#[tokio::test]
async fn claiming_somebodys_address_does_not_slow_them() {
    let provider = IdentityProvider::start();
    let api = signing_in_by(&provider).start().await;
    enter(&api, ADA).await;
    for _ in 0..11 {
        let refused = sign_in(&api, &mut Browser::default(), "666/ada@example.com/verified").await;
        assert!([409, 429].contains(&refused.status), "{refused}");
    }
    sign_in(&api, &mut Browser::default(), "666/ada@example.com/verified").await.refusal(429);
    enter(&api, ADA).await;
}

#[tokio::test]
async fn sign_ins_are_not_begun_without_end() {
    let provider = IdentityProvider::start();
    let api = signing_in_by(&provider).behind_proxies().start().await;
    let begin = async |from: &str| {
        let call = api.anonymous().get("/internal/auth/login").header("x-forwarded-for", from);
        call.send().await
    };
    for _ in 0..60 {
        assert_eq!(begin("203.0.113.7").await.status, 303);
    }
    let slowed = begin("203.0.113.7").await;
    assert!(slowed.refusal(429).contains("too many sign-ins"), "{slowed}");
    assert!(slowed.header("retry-after").is_some());
    assert_eq!(api.database().snapshot().await.rows("sign_in_attempts"), 60, "and nothing is kept of it");
    assert_eq!(begin("203.0.113.8").await.status, 303);
    api.clock().advance(time::Duration::minutes(1));
    assert_eq!(begin("203.0.113.7").await.status, 303);
}
