//! Where redirects lead, and where they do not.

use omni_crawl::{CrawlPolicy, FetchFailure, Fetched, Fetcher, FetcherParts, Refusal, Validators};

use crate::{
    pages::{failed, page, visit},
    server::{Answer, Server, egress, html, path, redirect, text},
};

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
    let other = Server::start(|_| {
        Answer::Flood(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec(), b"4\r\nxxxx\r\n".to_vec())
    })
    .await;
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
