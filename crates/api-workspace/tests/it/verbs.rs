//! A path takes the methods that the table gives it. No other word does anything, nor does one that is smuggled in.

use std::collections::BTreeMap;

use omni_api_workspace::ROUTES;
use omni_testkit::{Cast, Client, TestApi, raw};

use crate::scene::{Ids, call, changing, filled, join, name, performer, target};

/// The words of HTTP, those of its extensions, and some that nobody knows.
const WORDS: [&str; 11] =
    ["GET", "POST", "PUT", "DELETE", "HEAD", "PATCH", "OPTIONS", "TRACE", "PROPFIND", "get", "DELETEX"];

/// Ways in which frameworks let a request say that it is another one.
const OVERRIDES: [&str; 3] = ["x-http-method-override", "x-http-method", "x-method-override"];

/// The methods of every path.
fn taken() -> BTreeMap<&'static str, Vec<&'static str>> {
    let mut taken = BTreeMap::<_, Vec<_>>::new();
    for route in ROUTES {
        taken.entry(route.path).or_default().push(route.method.as_str());
    }
    taken.values_mut().for_each(|methods| methods.sort_unstable());
    taken
}

#[tokio::test]
async fn a_method_that_a_path_does_not_take_is_405_and_says_which_it_does() {
    let api = TestApi::start().await;
    let cast = Cast::gather(&api).await;
    let ids = Ids::make(&cast.owner, cast.app).await;
    let before = api.database().snapshot().await;
    for (path, taken) in taken() {
        let app = join(&filled(path, ids), &format!("app_id={}", ids.app));
        let slashed = app.replacen('?', "/?", 1);
        for word in WORDS.iter().filter(|word| !taken.contains(word)) {
            // Who asks makes no difference, nor does a slash at the end.
            let (client, at) = match *word {
                "PATCH" => (&cast.anonymous, &app),
                "TRACE" => (&cast.omniadmin, &slashed),
                _ => (&cast.omniadmin, &app),
            };
            let call = OVERRIDES.iter().fold(client.request(word, at), |call, name| call.header(name, taken[0]));
            let answer = call.send().await;
            assert_eq!(answer.status, 405, "{answer}");
            let mut allowed: Vec<&str> = answer.header("allow").unwrap().split(", ").collect();
            allowed.sort_unstable();
            assert_eq!(allowed, taken, "{word} {path}");
            if *word == "HEAD" {
                assert!(answer.body.is_empty());
            } else {
                answer.detail();
            }
        }
    }
    assert!(api.database().snapshot().await == before);
}

#[tokio::test]
async fn a_request_is_what_its_method_says_whatever_it_says_besides() {
    let api = TestApi::start().await;
    let cast = Cast::gather(&api).await;
    let ids = Ids::make(&cast.owner, cast.app).await;
    let dressed = |client: &Client, at: &str, method: &str| {
        let at = join(at, &format!("_method={method}&X-HTTP-Method-Override={method}"));
        OVERRIDES.iter().fold(client.request("GET", &at), |call, name| call.header(name, method))
    };
    let safe = ROUTES.iter().filter(|route| route.method.is_safe() && !route.path.contains("/auth/"));
    for route in safe {
        let client = performer(&api, &cast.owner, route, ids).await;
        let before = api.database().snapshot().await;
        let plain = call(&client, route, ids).send().await;
        let answer = dressed(&client, &target(route, ids), "DELETE").send().await;
        assert_eq!((answer.status, &answer.body), (plain.status, &plain.body), "{answer}");
        assert!(api.database().snapshot().await == before, "{}", name(route));
    }
    // An update that claims to be a removal removes nothing.
    for route in changing().filter(|route| route.method.as_str() == "PUT" && route.path.contains('{')) {
        let ids = Ids::make(&cast.owner, cast.another_app(&api).await).await;
        let client = performer(&api, &cast.owner, route, ids).await;
        let rows = |snapshot: omni_testkit::Snapshot| {
            ["agents", "ai_services", "apps", "users", "collaborations", "api_keys"].map(|table| snapshot.rows(table))
        };
        let before = rows(api.database().snapshot().await);
        let call = OVERRIDES.iter().fold(call(&client, route, ids), |call, name| call.header(name, "DELETE"));
        assert_eq!(call.send().await.status, route.success, "{}", name(route));
        assert_eq!(rows(api.database().snapshot().await), before, "{}", name(route));
    }
}

#[tokio::test]
async fn a_tunnel_and_an_echo_are_not_to_be_had() {
    let api = TestApi::start().await;
    let cookie = api.client("owner@example.com").await.cookie().unwrap().to_owned();
    for line in ["TRACE /internal/apps", "TRACE /", "TRACE *", "CONNECT evil.example:443", "CONNECT /internal/apps"] {
        let request = format!("{line} HTTP/1.1\r\nHost: localhost\r\nCookie: {cookie}\r\nConnection: close\r\n\r\n");
        let answer = raw(api.address(), request.as_bytes()).await;
        assert!((400..500).contains(&answer.status), "{line}: {answer}");
        assert!(!String::from_utf8_lossy(&answer.body).contains(&cookie), "{line} gives the cookie back");
    }
}
