//! Proxies on this machine: what they say of whom they forward.

use omni_api_control::Locality;

use crate::plane::{CANARY, Plane, SECRETS, assert_not_local};

/// Requests that proxies of this machine forward for somebody else, or for somebody whom they hide.
const FOR_STRANGERS: &[(&str, &str)] = &[
    ("X-Forwarded-For", "203.0.113.9"),
    ("X-Forwarded-For", "203.0.113.9, 127.0.0.1"),
    ("X-Forwarded-For", "127.0.0.1, 203.0.113.9"),
    ("X-Forwarded-For", "127.0.0.1, 203.0.113.9, ::1"),
    ("X-Forwarded-For", "127.0.0.1, 2001:db8::1"),
    ("X-Forwarded-For", "::ffff:203.0.113.9"),
    ("X-Forwarded-For", "unknown"),
    ("X-Forwarded-For", "localhost.example"),
    ("X-Forwarded-For", "127.0.0.1 203.0.113.9"),
    ("X-Forwarded-For", "127.0.0.1;203.0.113.9"),
    ("X-Forwarded-For", "127.0.0.1\u{e9}"),
    ("X-Real-IP", "203.0.113.9"),
    ("X-Real-IP", "not an address"),
    ("X-Forwarded-Host", "omni.example"),
    ("X-Forwarded-Server", "proxy.example"),
    ("X-Forwarded", "for=203.0.113.9"),
    ("X-Client-IP", "203.0.113.9"),
    ("True-Client-IP", "203.0.113.9"),
    ("CF-Connecting-IP", "203.0.113.9"),
    ("Forwarded", "for=203.0.113.9"),
    ("Forwarded", "for=127.0.0.1, for=203.0.113.9"),
    ("Forwarded", "for=203.0.113.9, for=127.0.0.1"),
    ("Forwarded", "for=127.0.0.1;by=203.0.113.43"),
    ("Forwarded", "for=127.0.0.1;host=omni.example"),
    ("Forwarded", "for=\"[2001:db8::1]:4711\""),
    ("Forwarded", "for=_hidden"),
    ("Forwarded", "for=unknown"),
    ("Forwarded", "127.0.0.1"),
];

/// Requests that they forward for programs on this machine.
const FOR_NEIGHBOURS: &[(&str, &str)] = &[
    ("X-Forwarded-For", "127.0.0.1"),
    ("X-Forwarded-For", "127.0.0.1, ::1, 127.8.8.8"),
    ("X-Forwarded-For", "::ffff:127.0.0.1"),
    ("X-Real-IP", "::1"),
    ("X-Forwarded-Host", "localhost:8882"),
    ("X-Forwarded-Proto", "http"),
    ("X-Forwarded-Port", "8882"),
    ("True-Client-IP", "127.0.0.1"),
    ("Forwarded", "for=127.0.0.1;proto=http;by=\"[::1]:8882\""),
    ("Forwarded", "for=localhost, for=\"[::1]\""),
    ("Via", "1.1 proxy"),
];

async fn status(plane: &Plane, header: (&str, &str)) -> u16 {
    let answer = plane.ask(SECRETS, &[("Host", &plane.host()), header], "").await;
    let body = String::from_utf8_lossy(&answer.body);
    assert_eq!(body.contains(CANARY), answer.status == 200, "{header:?}: {answer}");
    if answer.status != 200 {
        assert_not_local(&answer, &format!("{header:?}"));
    }
    answer.status
}

/// Row 17: a proxy that says whom it forwards for gives away everybody but this machine.
#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_is_believed_when_it_names_a_stranger() {
    let plane = Plane::start().await;
    for header in FOR_STRANGERS {
        assert_eq!(status(&plane, *header).await, 403, "{header:?}");
    }
    for header in FOR_NEIGHBOURS {
        assert_eq!(status(&plane, *header).await, 200, "{header:?}");
    }
    let twice = [("Host", &*plane.host()), ("X-Forwarded-For", "127.0.0.1"), ("X-Forwarded-For", "203.0.113.9")];
    assert_not_local(&plane.ask(SECRETS, &twice, "").await, "a second header");
    plane.control.stop().await.unwrap();
}

/// Row 17, in strict mode.
#[tokio::test(flavor = "multi_thread")]
async fn in_strict_mode_nothing_that_was_forwarded_comes_in() {
    let plane = Plane::with(Locality { strict: true, accounts: None }).await;
    for header in FOR_STRANGERS.iter().chain(FOR_NEIGHBOURS) {
        assert_eq!(status(&plane, *header).await, 403, "{header:?}");
    }
    assert_eq!(status(&plane, ("X-Forwarded-For", "")).await, 403);
    assert_eq!(status(&plane, ("User-Agent", "a program")).await, 200);
    plane.control.stop().await.unwrap();
}
