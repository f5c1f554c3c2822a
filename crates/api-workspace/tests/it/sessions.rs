//! Signing in and out, and what becomes of a session.

use omni_api_workspace::ROUTES;
use omni_testkit::TestApi;
use serde_json::json;
use time::Duration;

const LOGIN: &str = "/internal/auth/dev-login";

#[tokio::test]
async fn the_cookie_is_out_of_reach_for_scripts_and_other_sites() {
    let api = TestApi::start().await;
    let answer = api.anonymous().post(LOGIN).json(&json!({ "email": "ada@example.com" })).send().await;
    assert_eq!(answer.expect(200)["expires_at"], json!("2026-01-16T00:00:20Z"));
    let (pair, attributes) = answer.cookie().unwrap();
    let secret = pair.strip_prefix("session=").unwrap();
    assert!(secret.len() >= 43, "256 bits take 43 characters: {secret}");
    let has = |wanted: &str| attributes.split("; ").any(|attribute| attribute == wanted);
    assert!(has("HttpOnly") && has("SameSite=Lax") && has("Path=/"), "{attributes}");
    assert!(attributes.contains("Expires=Fri, 16 Jan 2026 00:00:20 GMT"), "{attributes}");
    assert!(!attributes.contains("Domain"), "{attributes}");
    // A loopback address has no HTTPS.
    assert!(!has("Secure"), "{attributes}");
}

#[tokio::test]
async fn behind_https_the_cookie_is_for_https_alone() {
    let api = TestApi::builder().public_url("https://omni.example").start().await;
    let answer = api.anonymous().post(LOGIN).json(&json!({ "email": "ada@example.com" })).send().await;
    let (pair, attributes) = answer.cookie().unwrap();
    assert!(pair.starts_with("__Host-session="), "{pair}");
    assert!(attributes.split("; ").any(|attribute| attribute == "Secure"), "{attributes}");
    api.anonymous().with_cookie(Some(&pair)).get("/internal/me").send().await.expect(200);
}

#[tokio::test]
async fn answers_to_who_is_signed_in_are_kept_by_no_cache() {
    let api = TestApi::start().await;
    let person = api.client("ada@example.com").await;
    for path in ["/internal/me", "/internal/apps", "/internal/apps/987654321", "/internal/nowhere"] {
        let answer = person.get(path).send().await;
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{path}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}");
    }
}

#[tokio::test]
async fn signing_in_makes_a_new_session_and_ends_the_one_before() {
    let api = TestApi::start().await;
    let person = api.client("ada@example.com").await;
    let answer = person.post(LOGIN).json(&json!({ "email": "bob@example.com" })).send().await;
    let (cookie, _) = answer.cookie().unwrap();
    assert_ne!(Some(cookie.as_str()), person.cookie());
    person.get("/internal/me").send().await.refusal(401);
    let bob = person.with_cookie(Some(&cookie));
    assert_eq!(bob.get("/internal/me").send().await.expect(200)["email"], json!("bob@example.com"));
}

#[tokio::test]
async fn a_session_that_somebody_planted_becomes_nobodys() {
    let api = TestApi::start().await;
    let planted = api.anonymous().with_cookie(Some("session=planted-by-somebody-else"));
    let answer = planted.post(LOGIN).json(&json!({ "email": "ada@example.com" })).send().await;
    let (cookie, _) = answer.cookie().unwrap();
    assert!(!cookie.contains("planted"));
    planted.get("/internal/me").send().await.refusal(401);
}

#[tokio::test]
async fn signing_out_ends_the_session_at_once_and_no_other() {
    let api = TestApi::start().await;
    let person = api.client("ada@example.com").await;
    let elsewhere = person.again().await;
    let answer = person.post("/internal/auth/logout").send().await;
    answer.expect(200);
    let (pair, attributes) = answer.cookie().unwrap();
    assert!(pair == "session=" && attributes.contains("Max-Age=0"), "{pair}; {attributes}");
    person.get("/internal/me").send().await.refusal(401);
    person.post("/internal/auth/logout").send().await.expect(200);
    elsewhere.get("/internal/me").send().await.expect(200);
}

#[tokio::test]
async fn a_session_ends_when_its_time_is_over() {
    let api = TestApi::start().await;
    let person = api.client("ada@example.com").await;
    api.clock().advance(Duration::hours(12) - Duration::seconds(1));
    person.get("/internal/me").send().await.expect(200);
    api.clock().advance(Duration::seconds(1));
    assert_eq!(person.get("/internal/me").send().await.refusal(401), "sign in first");
}

#[tokio::test]
async fn the_database_has_nothing_that_opens_a_session() {
    let api = TestApi::start().await;
    let person = api.client("ada@example.com").await;
    let secret = person.cookie().unwrap().trim_start_matches("session=").to_owned();
    let sql = api.database().sql().await;
    assert!(sql.any("SELECT FROM sessions").await);
    let in_clear = format!("SELECT FROM sessions s WHERE s::text LIKE '%{secret}%' OR session_key = '{secret}'::bytea");
    assert!(!sql.any(&in_clear).await);
}

#[tokio::test]
async fn no_two_sessions_are_alike() {
    let api = TestApi::start().await;
    let mut cookies = std::collections::BTreeSet::new();
    for _ in 0..50 {
        cookies.insert(api.client("ada@example.com").await.cookie().unwrap().to_owned());
    }
    assert_eq!(cookies.len(), 50);
}

#[tokio::test]
async fn fake_mode_signs_in_whoever_comes_without_a_cookie() {
    let api = TestApi::start().await;
    let answer = api.anonymous().with_cookie(None).get("/internal/me").send().await;
    assert_eq!(answer.expect(200)["email"], json!("dev@example.com"));
    let (cookie, _) = answer.cookie().expect("the visitor is given a session");
    let answer = api.anonymous().with_cookie(Some(&cookie)).get("/internal/me").send().await;
    answer.expect(200);
    assert_eq!(answer.cookie(), None);
}

#[tokio::test]
async fn a_cookie_that_opens_nothing_is_taken_away_so_that_the_next_request_begins_anew() {
    let api = TestApi::start().await;
    let stale = api.anonymous().with_cookie(Some("session=of-a-database-that-is-gone"));
    let answer = stale.get("/internal/me").send().await;
    answer.refusal(401);
    let (pair, attributes) = answer.cookie().expect("the cookie is taken away");
    assert!(pair == "session=" && attributes.contains("Max-Age=0"), "{pair}; {attributes}");
    stale.with_cookie(None).get("/internal/me").send().await.expect(200);
}

#[tokio::test]
async fn outside_fake_mode_nobody_is_signed_in_by_asking() {
    let api = TestApi::builder().not_fake().start().await;
    let nobody = api.anonymous().with_cookie(None);
    nobody.post(LOGIN).json(&json!({ "email": "ada@example.com" })).send().await.refusal(404);
    // The provider is away.
    nobody.get("/internal/auth/login").send().await.refusal(502);
    let mut closed = 0;
    for route in ROUTES.iter().filter(|route| route.access().lowest.is_some()) {
        let path = route.path.replace(['{', '}'], "");
        let answer = nobody.request(route.method.as_str(), &path).send().await;
        assert_eq!(answer.refusal(401), "sign in first", "{path}");
        closed += 1;
    }
    assert!(closed > 20);
    assert_eq!(api.database().snapshot().await.rows("users"), 0);
}

#[tokio::test]
async fn login_sends_on_and_only_within_this_server() {
    let api = TestApi::start().await;
    let visitor = api.anonymous();
    let answer = visitor.get("/internal/auth/login?next=/apps/1").send().await;
    assert_eq!((answer.status, answer.header("location")), (303, Some("/apps/1")));
    let (cookie, _) = answer.cookie().unwrap();
    visitor.with_cookie(Some(&cookie)).get("/internal/me").send().await.expect(200);
    for elsewhere in ["//evil.example", "https://evil.example", "/%5Cevil.example", "%2F%2Fevil.example", ""] {
        let answer = visitor.get(&format!("/internal/auth/login?next={elsewhere}")).send().await;
        assert!(answer.refusal(400).starts_with("next"), "{elsewhere}");
    }
}

#[tokio::test]
async fn an_address_is_the_same_in_any_case() {
    let api = TestApi::start().await;
    let ada = api.client("ada@example.com").await;
    let shouting = api.client("ADA@Example.COM").await;
    assert_eq!(ada.user_id, shouting.user_id);
    let admin = api.client("OmniAdmin@Example.com").await;
    assert_eq!(admin.get("/internal/me").send().await.expect(200)["role"], json!("omniadmin"));
}

#[tokio::test]
async fn the_profile_is_the_callers_to_change() {
    let api = TestApi::start().await;
    let person = api.client("ada@example.com").await;
    let profile = "/internal/user/profile";
    assert_eq!(person.get(profile).send().await.expect(200)["name"], json!("ada"));
    person.put(profile).json(&json!({ "name": "  Ada Lovelace " })).send().await.expect(200);
    assert_eq!(person.get(profile).send().await.expect(200)["name"], json!("Ada Lovelace"));
    person.put(profile).json(&json!({})).send().await.expect(200);
    assert_eq!(person.get("/internal/auth/me").send().await.expect(200)["name"], json!("Ada Lovelace"));
}
