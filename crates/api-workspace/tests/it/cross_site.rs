//! A page of another site makes a browser change nothing here, whatever it sends and however it sends it.

use omni_testkit::{Call, Cast, Client, TestApi};
use serde_json::{Value, json};

use crate::scene::{Ids, Route, call, changing, name, performer, target};

/// What a browser says of a page that is not ours.
const FOREIGN: [(&str, &str); 7] = [
    ("origin", "https://evil.example"),
    ("origin", "null"),
    ("origin", "http://localhost:1"),
    ("origin", "not a url"),
    ("sec-fetch-site", "cross-site"),
    ("sec-fetch-site", "same-site"),
    ("sec-fetch-site", "anything else"),
];

/// The fields of the route's example as a form would send them.
fn fields(route: &Route) -> Vec<(String, String)> {
    let body = route.example().body.unwrap_or_else(|| json!({ "name": "x" }));
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    body.as_object().unwrap().iter().map(|(field, value)| (field.clone(), text(value))).collect()
}

/// The route's example in each kind of body that a page can send, the three that need no leave to begin with first.
fn in_every_kind(client: &Client, route: &Route, ids: Ids) -> Vec<Call> {
    let request = || client.request(route.method.as_str(), &target(route, ids));
    let fields = fields(route);
    let urlencoded = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&fields).finish();
    let part = |(field, value): &(String, String)| {
        format!("--x\r\nContent-Disposition: form-data; name=\"{field}\"\r\n\r\n{value}\r\n")
    };
    let multipart = fields.iter().map(part).chain(["--x--\r\n".to_owned()]).collect::<String>();
    let json = route.example().body.unwrap_or_else(|| json!({})).to_string();
    vec![
        request().body("application/x-www-form-urlencoded", urlencoded),
        request().body("multipart/form-data; boundary=x", multipart),
        request().body("text/plain", json.clone()),
        request().body("application/json", json),
        request(),
    ]
}

#[tokio::test]
async fn a_request_from_another_site_changes_nothing() {
    let api = TestApi::start().await;
    let owner = api.client("owner@example.com").await;
    let ids = Ids::make(&owner, owner.create_app("Our app").await).await;
    let before = api.database().snapshot().await;
    let mut tried = 0;
    for route in changing() {
        for (header, value) in FOREIGN {
            for call in in_every_kind(&owner, route, ids) {
                let answer = call.header(header, value).send().await;
                assert!(answer.refusal(403).contains("another site"), "{} with {header}: {value}", name(route));
                tried += 1;
            }
        }
    }
    assert_eq!(tried, changing().count() * FOREIGN.len() * 5);
    assert!(api.database().snapshot().await == before);
}

/// Whether nobody can do it again where it was done, or what others need is gone then.
fn uses_up(route: &Route) -> bool {
    route.method.as_str() == "DELETE" || route.path.contains("{collab_id}") || route.path.ends_with("/leave")
}

#[tokio::test]
async fn every_route_works_from_our_own_pages() {
    let api = TestApi::start().await;
    let owner = api.client("owner@example.com").await;
    let stage = async || Ids::make(&owner, owner.create_app("Our app").await).await;
    let own = format!("http://{}", api.address());
    let mut wrong = Vec::new();
    // Browsers that are too old to say which site it is say where the page is from.
    for headers in [vec![("origin", own.as_str()), ("sec-fetch-site", "same-origin")], vec![("origin", own.as_str())]] {
        let mut ids = stage().await;
        for route in changing() {
            let client = performer(&api, &owner, route, ids).await;
            let call = headers.iter().fold(call(&client, route, ids), |call, (name, value)| call.header(name, value));
            let answer = call.send().await;
            if answer.status != route.success {
                wrong.push(format!("{} with {headers:?}: {answer}", name(route)));
            }
            if uses_up(route) {
                ids = stage().await;
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Going to sign in and coming back are links, so a browser follows them with a `GET`: they begin sessions, and nothing else
/// that is asked for so gently may store anything.
const BEGIN_SESSIONS: [&str; 2] = ["/internal/auth/login", "/internal/auth/callback"];

#[tokio::test]
async fn what_another_site_may_ask_for_stores_nothing() {
    let api = TestApi::start().await;
    let cast = Cast::gather(&api).await;
    let ids = Ids::make(&cast.owner, cast.app).await;
    let mut asked = 0;
    for route in omni_api_workspace::ROUTES.iter().filter(|route| route.method.is_safe()) {
        if BEGIN_SESSIONS.contains(&route.path) {
            continue;
        }
        let client = performer(&api, &cast.owner, route, ids).await;
        let before = api.database().snapshot().await;
        let answer = call(&client, route, ids).header("sec-fetch-site", "cross-site").send().await;
        assert_eq!(answer.status, route.success, "{answer}");
        assert!(api.database().snapshot().await == before, "{}", name(route));
        asked += 1;
    }
    assert!(asked > 20, "only {asked} were asked");
}
