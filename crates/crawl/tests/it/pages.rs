//! What comes of visiting a page.

use std::{sync::Arc, time::Duration};

use omni_crawl::{
    Agent, CrawlPolicy, FetchFailure, FetchLimits, Fetched, Fetcher, FetcherParts, Origin, Pacer, Page, Refusal,
    Validators,
};
use tokio::time::Instant;

use crate::server::{Answer, Server, answer, egress, gzip, header, html, path, redirect, text};

const HTML: &str = "Content-Type: text/html\r\n";
const ENDLESS: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n";

async fn visit(server: &Server, path: &str) -> Fetched {
    server.fetcher().fetch(&server.page(path), &Validators::default()).await
}

fn failed(reason: FetchFailure, retry: bool) -> Fetched {
    Fetched::Failed { reason, retry }
}

fn page(fetched: Fetched) -> Page {
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
async fn a_redirect_within_the_site_is_followed() {
    let server = Server::of([
        ("/old", redirect("/new/")),
        ("/new/", html("here")),
        ("/docs", redirect("/docs/")),
        ("/docs/", html("docs")),
        ("/gone", redirect("/nowhere")),
    ])
    .await;
    assert_eq!(page(visit(&server, "/old").await).final_url, server.page("/new"));
    let docs = page(visit(&server, "/docs").await);
    assert_eq!(docs.final_url.address().path(), "/docs/", "links are relative to where the server put the page");
    assert_eq!(visit(&server, "/gone").await, Fetched::Gone);
}

#[tokio::test]
async fn a_redirect_out_of_the_crawl_is_reported_and_not_read() {
    let other = Server::start(|_| Answer::Flood(ENDLESS.to_vec(), b"4\r\nxxxx\r\n".to_vec())).await;
    let there = other.url("/there");
    let away = there.clone();
    let server = Server::start(move |request| match path(request) {
        "/away" => redirect(&away),
        "/print" => redirect("/private/print"),
        "/robots.txt" => text("User-agent: *\nDisallow: /forbidden/"),
        "/slashless" => redirect("/forbidden/"),
        "/forbidden" => redirect("/forbidden/"),
        _ => html(""),
    })
    .await;
    let policy =
        CrawlPolicy { exclude_globs: vec!["/private/**".to_owned()], respect_robots_txt: true, ..server.policy() };
    let fetcher = Fetcher::new(FetcherParts { egress: egress(&[&server, &other]), ..server.parts(&policy) });
    for (path, to, reason) in [
        ("/away", there, Refusal::OtherHost),
        ("/print", server.url("/private/print"), Refusal::ExcludedByGlob),
        ("/slashless", server.url("/forbidden/"), Refusal::Robots),
        ("/forbidden", server.url("/forbidden/"), Refusal::Robots),
    ] {
        let fetched = fetcher.fetch(&server.page(path), &Validators::default()).await;
        let Fetched::RedirectedOut { to: Some(met), reason: said } = fetched else { panic!("{path}: {fetched:?}") };
        assert_eq!((met.address().as_str(), said), (to.as_str(), reason));
    }
}

#[tokio::test]
async fn a_redirect_to_an_address_of_the_inside_reaches_nothing() {
    let sentinel = Server::of([]).await;
    let inside = [
        "http://169.254.169.254/latest/meta-data/".to_owned(),
        "http://[::1]/".to_owned(),
        "http://0.0.0.0/".to_owned(),
        "http://[::ffff:10.0.0.1]/".to_owned(),
        sentinel.url("/"),
    ];
    for location in inside {
        let server = Server::start(move |_| redirect(&location)).await;
        assert_eq!(visit(&server, "/").await, failed(FetchFailure::AddressNotAllowed, false));
    }
    assert_eq!(sentinel.paths(), [""; 0]);
}

#[tokio::test]
async fn a_circle_of_redirects_and_one_to_nowhere_end() {
    let server = Server::start(|request| match path(request) {
        "/a" => redirect("/b"),
        "/nowhere" => redirect("http://"),
        "/script" => redirect("javascript:alert(1)"),
        _ => redirect("/a"),
    })
    .await;
    for path in ["/a", "/nowhere", "/script"] {
        assert_eq!(visit(&server, path).await, failed(FetchFailure::RedirectBroken, false), "{path}");
    }
    assert!(server.paths().len() <= 8);
}

#[tokio::test]
async fn an_endless_page_ends_at_the_limit() {
    let chunk = [b"10000\r\n".to_vec(), vec![b'x'; 0x10000], b"\r\n".to_vec()].concat();
    let server = Server::start(move |_| Answer::Flood(ENDLESS.to_vec(), chunk.clone())).await;
    let before = crate::trap::resident_bytes();
    assert_eq!(visit(&server, "/").await, Fetched::TooLarge);
    let grown = crate::trap::resident_bytes().saturating_sub(before);
    println!("endless page: {} KB more memory", grown / 1024);
    assert!(grown < 50 << 20, "{grown}");
    let announced = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 5000000000\r\n\r\n".to_vec();
    let server = Server::start(move |_| Answer::Drip(announced.clone(), Duration::from_secs(60))).await;
    assert_eq!(visit(&server, "/").await, Fetched::TooLarge, "what is announced is not waited for");
}

#[tokio::test]
async fn a_compression_bomb_is_counted_unpacked() {
    let bomb = gzip(&vec![b' '; 64 << 20]);
    assert!(bomb.len() < (64 << 20) / 1000);
    let server = Server::start(move |_| answer(200, &format!("{HTML}Content-Encoding: gzip\r\n"), &bomb)).await;
    assert_eq!(visit(&server, "/").await, Fetched::TooLarge);
    let small = gzip(b"<p>small</p>");
    let server = Server::start(move |_| answer(200, &format!("{HTML}Content-Encoding: gzip\r\n"), &small)).await;
    assert_eq!(page(visit(&server, "/").await).bytes, "<p>small</p>");
}

#[tokio::test]
async fn a_page_that_drips_is_left_at_the_deadline() {
    let drip = |_: &str| {
        Answer::Drip(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n".to_vec(), Duration::from_millis(20))
    };
    let server = Server::start(drip).await;
    let limits = FetchLimits { deadline: Duration::from_millis(300), ..FetchLimits::default() };
    let fetcher = Fetcher::new(FetcherParts { limits, ..server.parts(&server.policy()) });
    let start = Instant::now();
    let fetched = fetcher.fetch(&server.page("/"), &Validators::default()).await;
    assert_eq!(fetched, failed(FetchFailure::TimedOut, true));
    assert!(start.elapsed() >= Duration::from_millis(290) && start.elapsed() < Duration::from_secs(10));
    assert_eq!(FetchLimits::default().deadline, Duration::from_secs(60));
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
async fn what_is_no_answer_may_go_better_next_time() {
    for broken in [
        &b"SSH-2.0-OpenSSH_9.6\r\n"[..],
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 9\r\n\r\nabc",
    ] {
        let server = Server::start(|_| Answer::Close(broken.to_vec())).await;
        assert_eq!(visit(&server, "/").await, failed(FetchFailure::Broken, true));
    }
    let server = Server::of([]).await;
    let fetcher = server.fetcher();
    let page = server.page("/");
    drop(server);
    let fetched = fetcher.fetch(&page, &Validators::default()).await;
    assert!(
        matches!(fetched, Fetched::Failed { reason: FetchFailure::ConnectFailed | FetchFailure::Broken, retry: true }),
        "{fetched:?}"
    );
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
