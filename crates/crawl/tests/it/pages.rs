//! What comes of visiting a page.

use std::{sync::Arc, time::Duration};

use omni_crawl::{
    Agent, CrawlPolicy, FetchFailure, FetchLimits, Fetched, Fetcher, FetcherParts, Origin, Pacer, Page, Validators,
};
use tokio::time::Instant;

use crate::server::{Answer, Server, answer, gzip, header, html, path, text};

const HTML: &str = "Content-Type: text/html\r\n";

pub(crate) async fn visit(server: &Server, path: &str) -> Fetched {
    server.fetcher().fetch(&server.page(path), &Validators::default()).await
}

pub(crate) fn failed(reason: FetchFailure, retry: bool) -> Fetched {
    Fetched::Failed { reason, retry }
}

pub(crate) fn page(fetched: Fetched) -> Page {
    match fetched {
        Fetched::Page(page) => page,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_page_arrives_with_all_that_is_known_of_it() {
    let server = Server::of([
        ("/docs/", answer(200, "Content-Type: Text/HTML; Charset=UTF-8\r\nETag: \"v1\"\r\nLast-Modified: Wed, 25 Nov 2026 10:00:00 GMT\r\n", b"<p>Hi</p>")),
        ("/notes.md", answer(200, "Content-Type: text/markdown\r\n", b"# Notes")),
        ("/a.txt", text("hello")),
        ("/a.pdf", answer(200, "Content-Type: application/pdf\r\n", b"%PDF-1.7 ...")),
    ])
    .await;
    let arrived = page(visit(&server, "/docs/").await);
    assert_eq!(arrived.final_url.address(), server.page("/docs/").address(), "the slash at the end is asked for");
    assert_eq!((arrived.media_type.as_str(), arrived.charset.as_deref()), ("text/html", Some("utf-8")));
    assert_eq!(arrived.bytes, "<p>Hi</p>");
    let validators =
        Validators { etag: Some("\"v1\"".to_owned()), last_modified: Some("Wed, 25 Nov 2026 10:00:00 GMT".to_owned()) };
    assert_eq!(arrived.validators, validators);
    for (path, media_type) in [("/notes.md", "text/markdown"), ("/a.txt", "text/plain"), ("/a.pdf", "application/pdf")]
    {
        assert_eq!(page(visit(&server, path).await).media_type, media_type);
    }
}

#[tokio::test]
async fn the_server_learns_who_visits_and_what_is_taken() {
    let server = Server::of([("/", html(""))]).await;
    let contact = "https://omni.example/bot".parse().unwrap();
    let agent = Agent::new("OmniBot", Some(&contact)).unwrap();
    let fetcher = Fetcher::new(FetcherParts { agent, ..server.parts(&server.policy()) });
    page(fetcher.fetch(&server.page("/"), &Validators::default()).await);
    let [request] = <[String; 1]>::try_from(server.requests()).unwrap();
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(header(&request, "user-agent").unwrap(), format!("OmniBot/{version} (+https://omni.example/bot)"));
    assert!(header(&request, "accept").unwrap().starts_with("text/html, application/xhtml+xml, "), "{request}");
    for absent in ["cookie", "referer", "if-none-match", "if-modified-since"] {
        assert_eq!(header(&request, absent), None, "{request}");
    }
}

#[tokio::test]
async fn what_has_not_changed_is_not_sent_again() {
    let server = Server::start(|request| {
        if header(request, "if-none-match") == Some("\"v1\"") {
            return answer(304, "ETag: \"v1\"\r\n", b"");
        }
        answer(200, &format!("{HTML}ETag: \"v1\"\r\nLast-Modified: Wed, 25 Nov 2026 10:00:00 GMT\r\n"), b"<p>")
    })
    .await;
    let first = page(visit(&server, "/").await);
    let again = server.fetcher().fetch(&server.page("/"), &first.validators).await;
    assert_eq!(again, Fetched::NotModified);
    let requests = server.requests();
    assert_eq!(header(&requests[1], "if-modified-since"), Some("Wed, 25 Nov 2026 10:00:00 GMT"));
    let stale = Validators { etag: Some("\"v0\"".to_owned()), last_modified: Some("broken\r\nX: y".to_owned()) };
    page(server.fetcher().fetch(&server.page("/"), &stale).await);
    assert!(!server.requests()[2].contains("X: y"), "what no header can hold is not sent");
}

#[tokio::test]
async fn a_304_that_was_not_asked_for_is_no_answer_about_the_page() {
    let server = Server::of([("/", answer(304, "", b""))]).await;
    assert_eq!(visit(&server, "/").await, Fetched::Refused { status: 304 });
}

#[tokio::test]
async fn a_status_says_what_becomes_of_the_page() {
    let server = Server::start(|request| answer(path(request)[1..].parse().unwrap(), HTML, b"<p>")).await;
    for (status, expected) in [
        (404, Fetched::Gone),
        (410, Fetched::Gone),
        (204, Fetched::Refused { status: 204 }),
        (206, Fetched::Refused { status: 206 }),
        (300, Fetched::Refused { status: 300 }),
        (401, Fetched::Refused { status: 401 }),
        (403, Fetched::Refused { status: 403 }),
        (451, Fetched::Refused { status: 451 }),
        (408, failed(FetchFailure::ServerError(408), true)),
        (500, failed(FetchFailure::ServerError(500), true)),
        (502, failed(FetchFailure::ServerError(502), true)),
        (429, failed(FetchFailure::Throttled(429), true)),
        (503, failed(FetchFailure::Throttled(503), true)),
    ] {
        assert_eq!(visit(&server, &format!("/{status}")).await, expected, "{status}");
    }
}

#[tokio::test]
async fn a_server_that_asks_for_time_gets_it() {
    for (status, retry_after) in [(429, "120"), (503, "Wed, 25 Nov 2026 12:02:00 GMT")] {
        let server = Server::start(move |request| match path(request) {
            "/busy" => answer(status, &format!("Retry-After: {retry_after}\r\n"), b""),
            _ => html(""),
        })
        .await;
        let parts = server.parts(&server.policy());
        let (pacer, origin) = (Arc::clone(&parts.pacer), server.page("/").origin());
        let limits = FetchLimits { patience: Duration::from_secs(60), ..FetchLimits::default() };
        let fetcher = Fetcher::new(FetcherParts { limits, ..parts });
        let start = Instant::now();
        let busy = fetcher.fetch(&server.page("/busy"), &Validators::default()).await;
        assert_eq!(busy, failed(FetchFailure::Throttled(status), true));
        let next = fetcher.fetch(&server.page("/"), &Validators::default()).await;
        assert_eq!(next, failed(FetchFailure::Postponed, true), "two minutes are beyond a patience of one");
        assert_eq!(server.paths(), ["/busy"]);
        assert_turn_comes(&pacer, &origin, start, Duration::from_secs(120)).await;
    }
}

/// Fails unless the next turn comes `pause` after something that happened between `start` and now.
async fn assert_turn_comes(pacer: &Pacer, origin: &Origin, start: Instant, pause: Duration) {
    tokio::time::pause();
    let so_far = start.elapsed();
    pacer.turn(origin, Duration::ZERO, Duration::from_secs(600)).await.unwrap();
    let waited = start.elapsed();
    tokio::time::resume();
    // The timer counts in milliseconds.
    assert!(waited >= pause && waited <= so_far + pause + Duration::from_millis(2), "{waited:?} for {pause:?}");
}

#[tokio::test]
async fn a_packed_page_arrives_plain() {
    let small = gzip(b"<p>small</p>");
    let server = Server::start(move |_| answer(200, &format!("{HTML}Content-Encoding: gzip\r\n"), &small)).await;
    assert_eq!(page(visit(&server, "/").await).bytes, "<p>small</p>");
}

#[tokio::test]
async fn a_kind_that_is_not_taken_is_named() {
    let endless = [b"HTTP/1.1 200 OK\r\nContent-Type: video/mp4\r\n\r\n".to_vec(), vec![0; 100]];
    let server = Server::start(move |request| match path(request) {
        "/film" => Answer::Flood(endless[0].clone(), endless[1].clone()),
        "/none" => answer(200, "", b"<p>"),
        "/lie.html" => answer(200, HTML, b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"),
        "/lie.pdf" => answer(200, "Content-Type: application/pdf\r\n", b"<html>"),
        _ => answer(200, "Content-Type: application/json\r\n", b"{}"),
    })
    .await;
    for (path, media_type) in [
        ("/film", "video/mp4"),
        ("/none", "application/octet-stream"),
        ("/lie.html", "application/octet-stream"),
        ("/lie.pdf", "application/octet-stream"),
        ("/api", "application/json"),
    ] {
        let expected = Fetched::Unsupported { media_type: media_type.to_owned() };
        assert_eq!(visit(&server, path).await, expected, "{path}");
    }
    let limits = FetchLimits { media_types: vec!["application/json".to_owned()], ..FetchLimits::default() };
    let fetcher = Fetcher::new(FetcherParts { limits, ..server.parts(&server.policy()) });
    page(fetcher.fetch(&server.page("/api"), &Validators::default()).await);
}

#[tokio::test]
async fn the_pace_is_the_policys_or_the_servers_if_that_is_slower() {
    for (robots, respects, millis) in [
        ("User-agent: *\nCrawl-delay: 7", false, 100),
        ("User-agent: *\nCrawl-delay: 7", true, 7_000),
        ("User-agent: *\nCrawl-delay: 0.01", true, 100),
        ("User-agent: *\nCrawl-delay: 3600", true, 30_000),
    ] {
        let server = Server::of([("/robots.txt", text(robots)), ("/", html(""))]).await;
        let policy = CrawlPolicy { respect_robots_txt: respects, rate_limit_rps: 10.0, ..server.policy() };
        let parts = server.parts(&policy);
        let pacer = Arc::clone(&parts.pacer);
        let fetcher = Fetcher::new(FetcherParts { pause: policy.pause(), ..parts });
        let start = Instant::now();
        page(fetcher.fetch(&server.page("/"), &Validators::default()).await);
        assert_turn_comes(&pacer, &server.page("/").origin(), start, Duration::from_millis(millis)).await;
        assert_eq!(server.paths().len(), if respects { 2 } else { 1 });
    }
}

#[tokio::test]
async fn crawls_that_share_a_pacer_take_turns() {
    let server = Server::of([("/", html(""))]).await;
    let pacer = Arc::new(Pacer::new());
    let fetcher = || {
        let pause = Duration::from_millis(100);
        Fetcher::new(FetcherParts { pacer: Arc::clone(&pacer), pause, ..server.parts(&server.policy()) })
    };
    let start = Instant::now();
    let (one, two, three) = (fetcher(), fetcher(), fetcher());
    let (page, none) = (server.page("/"), Validators::default());
    tokio::join!(one.fetch(&page, &none), two.fetch(&page, &none), three.fetch(&page, &none));
    assert!(start.elapsed() >= Duration::from_millis(200), "{:?}", start.elapsed());
    assert_eq!(server.paths().len(), 3);
}
