//! Signing in by a certified identity provider, from the login to the sign-out.

use omni_testkit::{Answer, Browser, Client, IdentityProvider, Issuer, ManualClock, TestApi, TestApiBuilder};
use serde_json::{Value, json};
use time::Duration;
use url::Url;

pub(crate) const ADA: &str = "7/Ada@Example.com/verified";

pub(crate) fn at(api: &TestApi, path: &str) -> Url {
    Url::parse(&format!("http://{}{path}", api.address())).unwrap()
}

/// A server that believes this provider, and has its time.
pub(crate) fn signing_in_by(provider: &IdentityProvider) -> TestApiBuilder {
    TestApi::builder().signs_in_by(provider.issuer()).clock(&ManualClock::at_this_moment())
}

fn is_callback(url: &Url) -> bool {
    url.path() == "/internal/auth/callback"
}

/// Walks to where the provider sends the browser back to.
async fn come_back(api: &TestApi, browser: &mut Browser, person: &str) -> Url {
    browser.walk(&at(api, "/internal/auth/login?next=/apps/1"), person, is_callback).await
}

/// Signs in the whole way.
pub(crate) async fn sign_in(api: &TestApi, browser: &mut Browser, person: &str) -> Answer {
    let callback = come_back(api, browser, person).await;
    browser.open(&callback).await
}

pub(crate) async fn me(api: &TestApi, browser: &mut Browser) -> Value {
    browser.open(&at(api, "/internal/me")).await.expect(200)
}

async fn sessions(api: &TestApi) -> i64 {
    api.database().snapshot().await.rows("sessions")
}

#[tokio::test]
async fn a_person_signs_in_and_out_and_lands_where_they_wanted() {
    let provider = IdentityProvider::start();
    let api = signing_in_by(&provider).start().await;
    let mut browser = Browser::default();
    browser.open(&at(&api, "/internal/me")).await.refusal(401);

    let callback = come_back(&api, &mut browser, ADA).await;
    assert_eq!(sessions(&api).await, 0, "nobody is signed in by coming back alone");
    let landed = browser.open(&callback).await;
    assert_eq!((landed.status, landed.header("location")), (303, Some("/apps/1")));
    let cookies: Vec<&str> = landed.headers.get_all("set-cookie").iter().map(|value| value.to_str().unwrap()).collect();
    assert_eq!(cookies.len(), 2, "the session comes and the sign-in goes: {cookies:?}");
    let session = cookies.iter().find(|cookie| cookie.starts_with("session=")).unwrap();
    assert!(session.contains("HttpOnly") && session.contains("SameSite=Lax"), "{session}");
    let person = me(&api, &mut browser).await;
    assert_eq!((&person["email"], &person["name"]), (&json!("ada@example.com"), &json!("7 by name")));
    assert_eq!(person["role"], json!("user"));

    let replayed = browser.open(&callback).await;
    assert!(replayed.refusal(400).contains("used before"));
    assert_eq!(sessions(&api).await, 1);

    let cookie = browser.cookies(&at(&api, "/")).unwrap();
    let signed_in = api.anonymous().with_cookie(Some(&cookie));
    let answer = signed_in.post("/internal/auth/logout").send().await.expect(200);
    let logout = Url::parse(answer["logout_url"].as_str().unwrap()).unwrap();
    assert!(logout.as_str().starts_with(&provider.issuer().url), "{logout}");
    signed_in.get("/internal/me").send().await.refusal(401);
    let page = browser.open(&logout).await;
    assert_eq!(page.status, 200, "the provider asks whether to sign out there, too: {page}");
    let again = signed_in.post("/internal/auth/logout").send().await.expect(200);
    assert_eq!(again["logout_url"], Value::Null, "nobody was signed in any more");
}

#[tokio::test]
async fn the_next_time_it_is_the_same_account_in_a_new_session() {
    let provider = IdentityProvider::start();
    let api = signing_in_by(&provider).start().await;
    let (mut browser, mut elsewhere) = (Browser::default(), Browser::default());
    sign_in(&api, &mut browser, ADA).await;
    let first = browser.cookies(&at(&api, "/")).unwrap();
    let account = me(&api, &mut browser).await;
    sign_in(&api, &mut browser, ADA).await;
    assert_ne!(browser.cookies(&at(&api, "/")), Some(first.clone()));
    assert_eq!(me(&api, &mut browser).await, account);
    api.anonymous().with_cookie(Some(&first)).get("/internal/me").send().await.refusal(401);
    sign_in(&api, &mut elsewhere, ADA).await;
    assert_eq!(me(&api, &mut elsewhere).await, account);
    assert_eq!(sessions(&api).await, 2);
}

#[tokio::test]
async fn a_callback_is_good_for_the_browser_that_left_and_for_ten_minutes() {
    let provider = IdentityProvider::start();
    let api = signing_in_by(&provider).start().await;
    let mut browser = Browser::default();
    let callback = come_back(&api, &mut browser, ADA).await;
    Browser::default().open(&callback).await.refusal(400);
    // Somebody has seen it, so it is good for nobody any more.
    browser.open(&callback).await.refusal(400);

    let mut other = Browser::default();
    let theirs = come_back(&api, &mut other, "8/bob@example.com/verified").await;
    let mine = come_back(&api, &mut browser, ADA).await;
    browser.open(&theirs).await.refusal(400);
    browser.open(&mine).await;
    assert_eq!(me(&api, &mut browser).await["email"], json!("ada@example.com"));

    let late = come_back(&api, &mut other, "8/bob@example.com/verified").await;
    api.clock().advance(Duration::minutes(10));
    other.open(&late).await.refusal(400);
    assert_eq!(sessions(&api).await, 1);
}

#[tokio::test]
async fn two_tabs_sign_in_beside_each_other() {
    let provider = IdentityProvider::start();
    let api = signing_in_by(&provider).start().await;
    let mut browser = Browser::default();
    let one = come_back(&api, &mut browser, ADA).await;
    let two = come_back(&api, &mut browser, ADA).await;
    assert_eq!(browser.open(&one).await.status, 303);
    assert_eq!(browser.open(&two).await.status, 303);
    assert_eq!(sessions(&api).await, 1, "the second ended the first one's session");
}

#[tokio::test]
async fn a_code_that_was_used_or_changed_is_refused() {
    let provider = IdentityProvider::start();
    let api = signing_in_by(&provider).start().await;
    let mut browser = Browser::default();
    let used = come_back(&api, &mut browser, ADA).await;
    browser.open(&used).await;
    let code = |url: &Url| url.query_pairs().find(|(name, _)| name == "code").unwrap().1.into_owned();
    let fresh = come_back(&api, &mut browser, ADA).await;
    let reused = fresh.as_str().replace(&code(&fresh), &code(&used));
    assert_ne!(reused, fresh.as_str());
    let answer = browser.open(&Url::parse(&reused).unwrap()).await;
    assert_eq!((answer.status, &answer.json()["code"]), (400, &json!("sign_in_code_refused")), "{answer}");
    assert_eq!(sessions(&api).await, 1);
}

#[tokio::test]
async fn an_address_alone_opens_no_account() {
    let provider = IdentityProvider::start();
    let api = signing_in_by(&provider).start().await;
    let refusal = async |person: &str| {
        let answer = sign_in(&api, &mut Browser::default(), person).await;
        (answer.status, answer.json()["code"].as_str().unwrap().to_owned())
    };
    sign_in(&api, &mut Browser::default(), ADA).await;
    let before = sessions(&api).await;
    // Another subject with the address of an account that has an identity, proven or not.
    assert_eq!(refusal("9/ada@example.com/verified").await, (409, "email_taken".to_owned()));
    assert_eq!(refusal("9/ada@example.com/unverified").await, (409, "email_taken".to_owned()));
    // An account that nobody has entered by a provider yet.
    let sql = api.database().sql().await;
    let invited =
        "INSERT INTO users (email, name, create_date) VALUES ('bob@example.com', 'Bob', now()) RETURNING user_id";
    let invited: i64 = sql.query_one(invited, &[]).await.unwrap().get(0);
    assert_eq!(refusal("10/bob@example.com/unverified").await, (403, "email_unverified".to_owned()));
    assert_eq!(refusal("11/nobody/verified").await, (403, "email_missing".to_owned()));
    assert_eq!(sessions(&api).await, before);
    let mut browser = Browser::default();
    sign_in(&api, &mut browser, "10/BOB@example.com/verified").await;
    assert_eq!(me(&api, &mut browser).await["user_id"], json!(invited));
    assert_eq!(refusal("12/bob@example.com/verified").await, (409, "email_taken".to_owned()));
}

#[tokio::test]
async fn only_a_proven_address_makes_an_omniadmin() {
    let provider = IdentityProvider::start();
    let role = async |trusting: bool, person: &str| {
        let builder = signing_in_by(&provider);
        let api = if trusting { builder.trusts_emails() } else { builder }.start().await;
        let mut browser = Browser::default();
        sign_in(&api, &mut browser, person).await;
        me(&api, &mut browser).await["role"].clone()
    };
    assert_eq!(role(false, "1/omniadmin@example.com/unverified").await, json!("user"));
    assert_eq!(role(false, "1/omniadmin@example.com/verified").await, json!("omniadmin"));
    assert_eq!(role(true, "1/omniadmin@example.com/unverified").await, json!("omniadmin"));
}

#[tokio::test]
async fn an_invitation_is_for_whoever_proves_the_address() {
    let provider = IdentityProvider::start();
    let api = signing_in_by(&provider).start().await;
    let client = async |person: &str| {
        let mut browser = Browser::default();
        sign_in(&api, &mut browser, person).await;
        api.anonymous().with_cookie(browser.cookies(&at(&api, "/")).as_deref())
    };
    let owner = client(ADA).await;
    let app = owner.create_app("Ours").await;
    let invite = owner.post(&format!("/internal/collaboration/apps/{app}/invite"));
    let invited = invite.json(&json!({ "email": "bob@example.com" })).send().await.expect(201);
    let accept = format!("/internal/collaboration/{}/accept", invited["collab_id"]);

    let pretender = client("666/bob@example.com/unverified").await;
    let waiting = pretender.get("/internal/collaboration/invitations").send().await.expect(200);
    assert_eq!(waiting.as_array().map_or(waiting["total"].as_i64(), |list| list.len().try_into().ok()), Some(0));
    pretender.put(&accept).send().await.refusal(404);
    pretender.get(&format!("/internal/apps/{app}")).send().await.refusal(404);

    // The provider has verified the address meanwhile: the same subject, and now it counts.
    let verified = "UPDATE users SET email_verified = true WHERE email = 'bob@example.com'";
    api.database().sql().await.batch_execute(verified).await.unwrap();
    pretender.put(&accept).send().await.expect(200);
    pretender.get(&format!("/internal/apps/{app}")).send().await.expect(200);
}

#[tokio::test]
async fn whoever_is_shut_out_stays_out() {
    let provider = IdentityProvider::start();
    let api = signing_in_by(&provider).start().await;
    let mut browser = Browser::default();
    sign_in(&api, &mut browser, ADA).await;
    api.database().sql().await.batch_execute("UPDATE users SET is_active = false").await.unwrap();
    browser.open(&at(&api, "/internal/me")).await.refusal(403);
    assert_eq!(sign_in(&api, &mut browser, ADA).await.refusal(403), "this account is deactivated");
}

#[tokio::test]
async fn the_server_starts_without_the_provider_and_says_what_is_wrong() {
    let provider = IdentityProvider::start();
    let issuer = provider.issuer().clone();
    provider.stop();
    for issuer in [issuer, Issuer::nowhere()] {
        let api = TestApi::builder().signs_in_by(&issuer).start().await;
        api.anonymous().get("/readyz").send().await.expect(200);
        let answer = api.anonymous().get("/internal/auth/login").send().await;
        assert!(answer.refusal(502).contains("cannot be reached at the moment"), "{answer}");
        assert_eq!(api.database().snapshot().await.rows("sign_in_attempts"), 0);
    }
}

#[tokio::test]
async fn the_database_has_nothing_that_finishes_a_sign_in() {
    let provider = IdentityProvider::start();
    let api = signing_in_by(&provider).start().await;
    let mut browser = Browser::default();
    let callback = come_back(&api, &mut browser, ADA).await;
    let cookie = browser.cookies(&at(&api, "/")).unwrap();
    let secret = cookie.split('=').nth(1).unwrap().to_owned();
    let sql = api.database().sql().await;
    for (name, value) in callback.query_pairs().filter(|(name, _)| name != "iss") {
        let in_clear = format!("SELECT FROM sign_in_attempts a WHERE a::text LIKE '%{value}%'");
        assert!(!sql.any(&in_clear).await, "{name} is stored");
    }
    assert!(!sql.any(&format!("SELECT FROM sign_in_attempts a WHERE a::text LIKE '%{secret}%'")).await);
    assert!(sql.any("SELECT FROM sign_in_attempts").await);
}

#[tokio::test]
async fn behind_https_the_browser_is_marked_for_this_host_alone() {
    let provider = IdentityProvider::start();
    let api = signing_in_by(&provider).public_url("https://omni.example").start().await;
    let answer = api.anonymous().get("/internal/auth/login").send().await;
    let (pair, attributes) = answer.cookie().unwrap();
    assert!(pair.starts_with("__Host-sign-in-"), "{pair}");
    for wanted in ["HttpOnly", "SameSite=Lax", "Secure", "Path=/"] {
        assert!(attributes.split("; ").any(|attribute| attribute == wanted), "{wanted}: {attributes}");
    }
    let to = Url::parse(answer.header("location").unwrap()).unwrap();
    let redirect = to.query_pairs().find(|(name, _)| name == "redirect_uri").unwrap().1.into_owned();
    assert_eq!(redirect, "https://omni.example/internal/auth/callback");
}

#[tokio::test]
async fn one_sees_where_one_is_signed_in_and_signs_out_there() {
    let api = TestApi::start().await;
    let (ada, bob) = (api.client("ada@example.com").await, api.client("bob@example.com").await);
    let login = ada.post("/internal/auth/dev-login").header("user-agent", "A browser/1.0");
    let login = login.json(&json!({ "email": "ada@example.com" })).send().await;
    let here = ada.with_cookie(Some(&login.cookie().unwrap().0));
    let elsewhere = ada.again().await;
    let listed = here.get("/internal/auth/sessions").send().await.expect(200);
    let listed = listed.as_array().unwrap();
    assert_eq!(listed.len(), 2, "{listed:?}");
    let current = listed.iter().find(|session| session["is_current"] == true).unwrap();
    assert_eq!((&current["user_agent"], &current["address"]), (&json!("A browser/1.0"), &json!("127.0.0.1")));
    let other = listed.iter().find(|session| session["is_current"] == false).unwrap();
    let path = format!("/internal/auth/sessions/{}", other["session_id"]);
    let by = |client: &Client| client.delete(&path);
    let foreign = by(&bob).send().await;
    foreign.refusal(404);
    let unknown = bob.delete("/internal/auth/sessions/987654321").send().await;
    assert_eq!(foreign.bytes(), unknown.bytes(), "another person's session is none");
    elsewhere.get("/internal/me").send().await.expect(200);
    by(&here).send().await.expect(200);
    elsewhere.get("/internal/me").send().await.refusal(401);
    by(&here).send().await.refusal(404);
}

#[tokio::test]
async fn a_session_that_nobody_uses_ends_and_one_in_use_goes_on() {
    let api = TestApi::builder().idle(Duration::minutes(30)).start().await;
    let (busy, idle) = (api.client("ada@example.com").await, api.client("bob@example.com").await);
    let seen = async || -> String {
        let sql = api.database().sql().await;
        let row = format!("SELECT last_seen::text FROM sessions WHERE user_id = {}", busy.user_id);
        sql.query_one(&row, &[]).await.unwrap().get(0)
    };
    let at_first = seen().await;
    api.clock().advance(Duration::seconds(59));
    busy.get("/internal/me").send().await.expect(200);
    assert_eq!(seen().await, at_first, "within a minute nothing is written");
    for _ in 0..3 {
        api.clock().advance(Duration::minutes(20));
        busy.get("/internal/me").send().await.expect(200);
    }
    assert_ne!(seen().await, at_first);
    idle.get("/internal/me").send().await.refusal(401);
    api.clock().advance(Duration::minutes(30));
    busy.get("/internal/me").send().await.refusal(401);
    busy.get("/internal/me").send().await.refusal(401);
}
