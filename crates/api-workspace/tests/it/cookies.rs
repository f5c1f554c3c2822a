//! Every cookie that any route sets, in every way that a server is reached, and what no cache may keep.

use std::collections::BTreeMap;

use omni_api_workspace::ROUTES;
use omni_domain::Clock;
use omni_testkit::{Answer, Cast, Client, ForgingKey, ForgingProvider, ManualClock, TestApi};
use serde_json::json;
use url::Url;

use crate::scene::{Ids, call, call_at, filled, name, performer};

const PUBLIC: &str = "https://omni.example";
/// As much as every browser keeps.
const MOST_BYTES: usize = 4096;

/// The cookies of an answer: name, and the whole line.
fn cookies(answer: &Answer) -> Vec<(String, String)> {
    let lines = answer.headers.get_all("set-cookie").iter().map(|line| line.to_str().unwrap().to_owned());
    lines.map(|line| (line.split('=').next().unwrap().to_owned(), line)).collect()
}

/// Holds a cookie to what it must be where the server is reached by HTTPS, or else on this machine.
fn check(name: &str, line: &str, is_https: bool) {
    let attributes: Vec<String> = line.split("; ").skip(1).map(str::to_lowercase).collect();
    let has = |wanted: &str| attributes.iter().any(|attribute| attribute == wanted);
    assert!(has("httponly") && has("samesite=lax") && has("path=/"), "{line}");
    assert!(!attributes.iter().any(|attribute| attribute.starts_with("domain")), "{line}");
    assert!(line.len() <= MOST_BYTES, "{line}");
    assert_eq!(has("secure"), is_https, "{line}");
    assert_eq!(name.starts_with("__Host-"), is_https, "{line}");
    assert!(
        ["session", "sign-in-"].iter().any(|known| name.trim_start_matches("__Host-").starts_with(known)),
        "{line}"
    );
}

/// Asks every route as nobody, as somebody whose session is over, and as somebody who is signed in.
async fn every_answer(api: &TestApi, is_https: bool) -> BTreeMap<String, usize> {
    let mut seen = BTreeMap::new();
    let stale = api.anonymous();
    for (route, which) in ROUTES.iter().flat_map(|route| (0..3).map(move |which| (route, which))) {
        let client = match which {
            0 => stale.with_cookie(None),
            1 => stale.with_cookie(Some("session=over; __Host-session=over")),
            _ => api.client("ada@example.com").await,
        };
        let answer = call_at(&client, route, Ids::unknown(), &filled(route.path, Ids::unknown())).send().await;
        for (cookie, line) in cookies(&answer) {
            check(&cookie, &line, is_https);
            *seen.entry(cookie).or_default() += 1;
        }
    }
    seen
}

#[tokio::test]
async fn on_this_machine_every_cookie_is_kept_from_scripts_and_other_sites() {
    let seen = every_answer(&TestApi::start().await, false).await;
    assert_eq!(seen.keys().map(String::as_str).collect::<Vec<_>>(), ["session"]);
    assert!(seen["session"] > ROUTES.len(), "{seen:?}");
}

#[tokio::test]
async fn behind_https_every_cookie_is_for_this_host_alone() {
    let seen = every_answer(&TestApi::builder().public_url(PUBLIC).start().await, true).await;
    assert_eq!(seen.keys().map(String::as_str).collect::<Vec<_>>(), ["__Host-session"]);
    assert!(seen["__Host-session"] > ROUTES.len(), "{seen:?}");
}

/// A sign-in by a provider, seen from the browser: the answer to the way there, and the one to the way back.
async fn sign_in(api: &TestApi, provider: &ForgingProvider, key: &ForgingKey, cookie: Option<&str>) -> [Answer; 2] {
    let left = api.anonymous().with_cookie(cookie).get("/internal/auth/login").send().await;
    let to = Url::parse(left.header("location").unwrap_or_else(|| panic!("{left}"))).unwrap();
    let parameter = |wanted: &str| to.query_pairs().find(|(name, _)| name == wanted).unwrap().1.into_owned();
    provider.give(&key.sign(&provider.claims(&parameter("nonce"), api.clock().now().unix_timestamp())));
    let attempt = left.cookie().unwrap().0;
    let carried = cookie.map_or_else(|| attempt.clone(), |cookie| format!("{cookie}; {attempt}"));
    let back = api.anonymous().with_cookie(Some(&carried));
    let back = back.get(&format!("/internal/auth/callback?code=c&state={}", parameter("state"))).send().await;
    [left, back]
}

async fn with_provider(url: Option<&str>) -> (TestApi, ForgingProvider, ForgingKey) {
    let key = ForgingKey::new("one", 1);
    let provider = ForgingProvider::start(&key).await;
    let builder = TestApi::builder().clock(&ManualClock::default()).signs_in_by(provider.issuer());
    let builder = match url {
        Some(url) => builder.public_url(url),
        None => builder,
    };
    (builder.start().await, provider, key)
}

#[tokio::test]
async fn a_sign_in_by_a_provider_sets_cookies_of_the_same_kind() {
    for url in [None, Some(PUBLIC)] {
        let (api, provider, key) = with_provider(url).await;
        let [left, back] = sign_in(&api, &provider, &key, None).await;
        assert_eq!((left.status, back.status), (303, 303), "{back}");
        let all: Vec<_> = [left, back].iter().flat_map(cookies).collect();
        assert_eq!(all.len(), 3, "the attempt's, its removal, and the session's: {all:?}");
        all.iter().for_each(|(name, line)| check(name, line, url.is_some()));
    }
}

#[tokio::test]
async fn a_session_that_a_neighbouring_host_planted_is_not_believed_behind_https() {
    let (api, provider, key) = with_provider(Some(PUBLIC)).await;
    let [_, back] = sign_in(&api, &provider, &key, None).await;
    let session = cookies(&back).into_iter().find(|(name, _)| name == "__Host-session").unwrap().1;
    let session = session.split(';').next().unwrap().to_owned();
    let asks = async |cookie: &str| api.anonymous().with_cookie(Some(cookie)).get("/internal/me").send().await.status;
    assert_eq!(asks(&session).await, 200);
    // Any host of the domain can set a cookie of the plain name for all of them: whoever does so with a session of their own
    // would have others work in it.
    let planted = session.trim_start_matches("__Host-").to_owned();
    assert_eq!(asks(&planted).await, 401);
    assert_eq!(asks(&format!("{planted}; __Host-session=over")).await, 401);
    assert_eq!(asks(&format!("session=over; {session}")).await, 200);
}

#[tokio::test]
async fn a_session_from_before_a_sign_in_opens_nothing_after_it() {
    for url in [None, Some(PUBLIC)] {
        let (api, provider, key) = with_provider(url).await;
        let session = |answer: &Answer| {
            let all = cookies(answer).into_iter();
            let line = all.map(|(_, line)| line).find(|line| line.contains("session=")).unwrap();
            line.split(';').next().unwrap().to_owned()
        };
        let [_, first] = sign_in(&api, &provider, &key, None).await;
        let planted = session(&first);
        let [_, second] = sign_in(&api, &provider, &key, Some(&planted)).await;
        let own = session(&second);
        assert_ne!(planted, own);
        let asks =
            async |cookie: &str| api.anonymous().with_cookie(Some(cookie)).get("/internal/me").send().await.status;
        assert_eq!((asks(&planted).await, asks(&own).await), (401, 200));
        // A name that nobody gave opens nothing either, and is not taken up.
        let chosen = planted.split('=').next().unwrap().to_owned() + "=chosen-by-somebody-else-0123456789abcdef012";
        let [_, third] = sign_in(&api, &provider, &key, Some(&chosen)).await;
        assert_ne!(session(&third), chosen);
        assert_eq!(asks(&chosen).await, 401);
    }
}

#[tokio::test]
async fn no_answer_is_kept_by_any_cache() {
    let api = TestApi::start().await;
    let cast = Cast::gather(&api).await;
    let held = |answer: &Answer, what: &str| {
        let control = answer.header("cache-control").unwrap_or_else(|| panic!("{what}: {answer}"));
        assert!(control.split(", ").any(|word| word == "no-store"), "{what}: {control}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{what}");
    };
    for route in ROUTES {
        let ids = Ids::make(&cast.owner, cast.another_app(&api).await).await;
        let performer = performer(&api, &cast.owner, route, ids).await;
        let wanted = call(&performer, route, ids).send().await;
        let is_callback = route.path == "/internal/auth/callback";
        assert!(wanted.status == route.success || is_callback, "{wanted}");
        held(&wanted, &name(route));
        let refused: [&Client; 2] = [&cast.stranger, &cast.anonymous];
        for client in refused {
            let answer = call_at(client, route, ids, &filled(route.path, ids)).send().await;
            held(&answer, &format!("{} by {}", name(route), client.email));
        }
    }
    held(&cast.owner.get("/internal/nowhere").send().await, "nothing");
    held(&cast.owner.request("PATCH", "/internal/apps").json(&json!({})).send().await, "another method");
}
