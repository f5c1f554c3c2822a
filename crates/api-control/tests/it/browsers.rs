//! Pages that make a browser on this machine send requests here.

use serde_json::json;

use crate::plane::{Plane, SECRETS};

const JSON: &str = "application/json";

/// What a page can make a browser send besides a body, and whether a program may send it, too.
const PAGES: &[&[(&str, &str)]] = &[
    &[("Origin", "https://evil.example")],
    &[("Origin", "null")],
    &[("Origin", "http://localhost.evil:8882")],
    &[("Origin", "file://")],
    &[("Sec-Fetch-Site", "cross-site")],
    &[("Sec-Fetch-Site", "same-site")],
    &[("Sec-Fetch-Site", "same-site"), ("Origin", "http://localhost:3000")],
    &[("Sec-Fetch-Site", "cross-site"), ("Origin", "http://localhost:8882")],
    &[("Sec-Fetch-Site", "none"), ("Sec-Fetch-Site", "cross-site")],
    &[("Sec-Fetch-Site", "same-origin"), ("Origin", "https://evil.example")],
];

/// Bodies that a browser sends without asking first whether it may.
const SIMPLE_BODIES: &[Option<&str>] = &[
    None,
    Some("text/plain"),
    Some("text/plain;charset=UTF-8"),
    Some("text/plain; application/json"),
    Some("application/x-www-form-urlencoded"),
    Some("multipart/form-data; boundary=x"),
];

/// Row 19: no page changes the registry, whatever it sends.
#[tokio::test(flavor = "multi_thread")]
async fn no_page_of_another_site_changes_the_registry() {
    let plane = Plane::start().await;
    let service = plane.register(json!({ "name": "discord", "type": "channel", "pid": 1 })).await;
    let before = plane.stored().await;
    let mut asked = 0;
    for (path, body) in [
        ("services/register", json!({ "name": "discord", "type": "channel", "pid": 2 })),
        ("services/heartbeat", json!({ "serviceId": service["serviceId"], "status": "unhealthy" })),
        ("services/deregister", json!({ "serviceId": service["serviceId"] })),
    ] {
        let line = format!("POST /api/v2/_internal/{path}");
        let of_pages = PAGES.iter().flat_map(|page| {
            SIMPLE_BODIES.iter().copied().chain([Some(JSON)]).map(|content_type| (*page, content_type, 403))
        });
        let of_nobody = SIMPLE_BODIES.iter().map(|content_type| (&[][..], *content_type, 415));
        for (page, content_type, status) in of_pages.chain(of_nobody) {
            let host = plane.host();
            let mut headers = vec![("Host", &*host)];
            headers.extend(content_type.map(|content_type| ("Content-Type", content_type)));
            headers.extend(page);
            let answer = plane.ask(&line, &headers, &body.to_string()).await;
            assert_eq!(answer.status, status, "{headers:?}: {answer}");
            asked += 1;
        }
    }
    assert_eq!(asked, 3 * (PAGES.len() * (SIMPLE_BODIES.len() + 1) + SIMPLE_BODIES.len()));
    assert_eq!(plane.stored().await, before);
    plane.control.stop().await.unwrap();
}

/// Row 19, for what a page might read: nothing either, and nobody is told that another site may ask.
#[tokio::test(flavor = "multi_thread")]
async fn no_page_of_another_site_is_answered() {
    let plane = Plane::start().await;
    let host = plane.host();
    for page in PAGES {
        for line in [SECRETS, &SECRETS.replace("GET", "OPTIONS")] {
            let headers: Vec<_> = [("Host", &*host)].into_iter().chain(page.iter().copied()).collect();
            let answer = plane.ask(line, &headers, "").await;
            assert_eq!(answer.status, 403, "{page:?}: {answer}");
            assert_eq!(answer.header("access-control-allow-origin"), None);
        }
    }
    let own_page = [("Host", &*host), ("Sec-Fetch-Site", "same-origin"), ("Origin", "http://localhost:8882")];
    assert_eq!(plane.ask(SECRETS, &own_page, "").await.status, 200);
    plane.control.stop().await.unwrap();
}
