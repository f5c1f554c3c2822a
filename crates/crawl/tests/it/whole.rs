//! A whole crawl, from the policy to the tally, as a caller drives it.

use std::{collections::BTreeMap, sync::Arc};

use omni_crawl::{CrawlPolicy, Fetched, Fetcher, Frontier, PageUrl, Step, Stop, Tally, Validators, Via, resolve_links};

use crate::server::{NOON, Server, answer, html, path, redirect, text};

/// What a crawl found, by path.
struct Crawled {
    found: BTreeMap<String, String>,
    tally: Tally,
    stop: Stop,
}

async fn crawl(server: &Server, policy: &CrawlPolicy) -> Crawled {
    let fetcher = Fetcher::new(server.parts(policy));
    let mut frontier = Frontier::of_policy(policy, NOON).unwrap();
    if let Some(sitemap) = &policy.sitemap_url {
        for listed in fetcher.sitemap(&PageUrl::parse(sitemap).unwrap()).await.pages {
            frontier.offer(&listed.url, Via::Sitemap, 0);
        }
    }
    let mut found = BTreeMap::new();
    let stop = loop {
        match frontier.next(NOON) {
            Step::LearnRobots(origin) => {
                let robots = fetcher.robots(&origin).await;
                frontier.learn(origin, robots);
            }
            Step::Visit(visit) => {
                let fetched = fetcher.fetch(&visit.url, &Validators::default()).await;
                if let Fetched::Page(page) = &fetched {
                    let text = String::from_utf8(page.bytes.to_vec()).unwrap();
                    let links = text.split('"').skip(1).step_by(2);
                    for link in resolve_links(&page.final_url, None, links) {
                        frontier.offer(&link, Via::Link, visit.depth + 1);
                    }
                    found.insert(page.final_url.path_and_query().to_owned(), page.media_type.clone());
                }
                frontier.record(&visit.url, &fetched);
            }
            Step::Wait => panic!("one visit at a time"),
            Step::Done(stop) => break stop,
        }
    };
    Crawled { found, tally: frontier.tally().clone(), stop }
}

async fn site() -> Server {
    let links = |links: &[&str]| html(&links.iter().map(|link| format!("<a href=\"{link}\">")).collect::<String>());
    Server::of([
        (
            "/",
            links(&["/docs/", "/blog/", "https://other.example/", "mailto:a/b@example.com", "/docs/?utm_source=home"]),
        ),
        ("/robots.txt", text("User-agent: *\nDisallow: /docs/drafts/\n")),
        ("/docs/", links(&["intro", "setup/", "drafts/secret", "/logo.png/", "/missing/"])),
        ("/docs/intro", links(&["/docs/", "../old/"])),
        ("/docs/setup/", links(&["linux/", "/docs/setup"])),
        ("/docs/setup/linux/", links(&["deeper/"])),
        ("/old/", redirect("/docs/intro")),
        ("/blog/", links(&["1/"])),
        ("/blog/1/", html("")),
        ("/logo.png/", answer(200, "Content-Type: image/png\r\n", b"\x89PNG")),
        ("/listed", text("only the sitemap knows")),
        ("/sitemap.xml", text("<urlset><url><loc>/</loc></url></urlset>")),
    ])
    .await
}

#[tokio::test]
async fn a_site_is_visited_as_its_owner_and_the_policy_say() {
    let server = site().await;
    let policy = CrawlPolicy { respect_robots_txt: true, exclude_globs: vec!["/blog/*".to_owned()], ..server.policy() };
    let Crawled { found, tally, stop } = crawl(&server, &policy).await;
    assert_eq!(stop, Stop::Complete);
    assert_eq!(found.keys().collect::<Vec<_>>(), ["/", "/blog", "/docs", "/docs/intro", "/docs/setup"]);
    insta::assert_json_snapshot!(tally, @r#"
    {
      "discovered": 7,
      "indexed": 5,
      "unchanged": 0,
      "skipped": 1,
      "removed": 1,
      "failed": 0,
      "excluded": {
        "other_host": 1,
        "excluded_by_glob": 1,
        "robots": 1,
        "too_deep": 2
      },
      "not_kept": 0
    }
    "#);
    let asked = server.paths();
    assert_eq!(asked[..4], ["/robots.txt", "/", "/docs/", "/blog/"], "breadth first, the server's wishes before");
    assert!(!asked.iter().any(|path| path.contains("drafts")), "{asked:?}");
    let mut once = asked.clone();
    once.sort_unstable();
    once.dedup();
    assert_eq!(once.len(), asked.len(), "nothing was asked for twice: {asked:?}");
}

#[tokio::test]
async fn depth_and_pages_end_it_early() {
    let server = site().await;
    let shallow = CrawlPolicy { max_depth: 0, ..server.policy() };
    let crawled = crawl(&server, &shallow).await;
    assert_eq!((crawled.found.len(), crawled.stop), (1, Stop::Complete));
    let few = CrawlPolicy { max_pages: 3, ..server.policy() };
    let crawled = crawl(&server, &few).await;
    assert_eq!((crawled.found.len(), crawled.stop), (3, Stop::Pages));
    assert_eq!(crawled.tally.indexed, 3);
}

#[tokio::test]
async fn what_a_sitemap_lists_is_visited_without_a_link() {
    let server = Server::start(|request| match path(request) {
        "/sitemap.xml" => {
            let host = crate::server::header(request, "host").unwrap();
            text(&format!(
                "<urlset><url><loc>http://{host}/listed</loc></url><url><loc>https://other.example/</loc></url></urlset>"
            ))
        }
        "/listed" => html("<a href=\"/linked\">"),
        "/linked" => html(""),
        _ => answer(404, "", b""),
    })
    .await;
    let policy = CrawlPolicy { seed_url: None, sitemap_url: Some(server.url("/sitemap.xml")), ..server.policy() };
    let Crawled { found, tally, .. } = crawl(&server, &policy).await;
    assert_eq!(found.into_keys().collect::<Vec<_>>(), ["/linked", "/listed"]);
    assert_eq!(tally.excluded_in_all(), 1);
}

/// A page for whatever is asked, each with two links to others: more pages than there are numbers.
#[tokio::test]
async fn an_endless_site_ends_at_the_budget() {
    let server = Server::start(|request| {
        let path = path(request).trim_end_matches('/');
        html(&format!("<a href=\"{path}/a\"><a href=\"{path}/b\">"))
    })
    .await;
    let policy = CrawlPolicy { max_depth: 5, max_pages: 40, ..server.policy() };
    let crawled = crawl(&server, &policy).await;
    assert_eq!((crawled.stop, server.paths().len()), (Stop::Pages, 40));
    let all = CrawlPolicy { max_depth: 3, ..server.policy() };
    let crawled = crawl(&server, &all).await;
    assert_eq!((crawled.stop, crawled.found.len()), (Stop::Complete, 1 + 2 + 4 + 8));
}

#[tokio::test]
async fn a_crawl_can_be_moved_between_threads() {
    fn movable<T: Send + Sync>(_: &T) {}
    let server = site().await;
    let fetcher = Arc::new(server.fetcher());
    movable(&fetcher);
    movable(&Frontier::of_policy(&server.policy(), NOON).unwrap());
    let page = server.page("/");
    let other = Arc::clone(&fetcher);
    let mut tasks = tokio::task::JoinSet::new();
    tasks.spawn(async move { other.fetch(&page, &Validators::default()).await });
    assert!(matches!(tasks.join_next().await.unwrap().unwrap(), Fetched::Page(_)));
}
