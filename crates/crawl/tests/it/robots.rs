//! `robots.txt`: what it says, and what it means that there is none.

use std::{sync::Arc, time::Duration};

use omni_crawl::{CrawlPolicy, FetchLimits, Fetcher, FetcherParts, MAX_ROBOTS_BYTES, PageUrl, Robots};
use proptest::{prelude::*, proptest};

use crate::{
    memory::{Peak, measure_alone},
    server::{Answer, Server, answer, html, path, redirect, text},
};

fn allows(file: &str, path: &str) -> bool {
    let page = PageUrl::parse(&format!("https://example.com{path}")).unwrap();
    Robots::parse("OmniBot", file.as_bytes()).allows(&page)
}

#[test]
fn the_group_of_the_crawler_counts_or_else_that_of_everybody() {
    for (file, allowed) in [
        ("", true),
        ("User-agent: *\nDisallow: /", false),
        ("User-agent: *\nDisallow:", true),
        ("User-agent: OmniBot\nDisallow: /", false),
        ("User-agent: omnibot/2.0\nDisallow: /", false),
        ("User-agent: OmniBotBeta\nDisallow: /", true),
        ("User-agent: Omni\nDisallow: /", true),
        ("User-agent: OtherBot\nDisallow: /", true),
        ("User-agent: *\nDisallow: /\nUser-agent: OmniBot\nAllow: /", true),
        ("User-agent: OmniBot\nUser-agent: OtherBot\nDisallow: /", false),
        ("User-agent: OtherBot\nUser-agent: OmniBot\n\nDisallow: /", false),
        ("User-agent: OmniBot\nAllow: /x\nUser-agent: OtherBot\nDisallow: /", true),
        ("User-agent: OmniBot\nDisallow: /x\nUser-agent: OtherBot\nAllow: /\nUser-agent: OmniBot\nDisallow: /a", false),
        ("User-agent: OmniBot\nCrawl-delay: 1\nUser-agent: OtherBot\nDisallow: /", true),
        ("User-agent: OmniBot\nSitemap: https://example.com/s\nUser-agent: OtherBot\nDisallow: /", false),
        ("Disallow: /", true),
        ("\u{feff}USER-AGENT : * # all\r\nDISALLOW : /  # everything\r\n", false),
        ("User-agent: *\rDisallow: /\r", false),
        ("User-agent: *\nDisallow /", true),
        ("<html><body>User-agent: *</body></html>\nDisallow: /", true),
    ] {
        assert_eq!(allows(file, "/a"), allowed, "{file:?}");
    }
}

#[test]
fn the_longest_rule_wins_and_of_two_the_one_that_allows() {
    for (rules, path, allowed) in [
        ("Allow: /p\nDisallow: /", "/page", true),
        ("Disallow: /\nAllow: /p", "/page", true),
        ("Allow: /folder\nDisallow: /folder", "/folder/page", true),
        ("Allow: /page\nDisallow: /*.htm", "/page.htm", false),
        ("Allow: /page\nDisallow: /*.ph", "/page.php5", true),
        ("Allow: /$\nDisallow: /", "/", true),
        ("Allow: /$\nDisallow: /", "/page.htm", false),
        ("Disallow: /private/", "/private/", false),
        ("Disallow: /private/", "/private", true),
        ("Disallow: /*?", "/a?b=1", false),
        ("Disallow: /gr\u{f6}\u{df}e", "/gr%C3%B6%c3%9fe", false),
        ("Disallow: /%7ejoe", "/~joe/", false),
        ("Disallow: /", "/robots.txt", true),
    ] {
        assert_eq!(allows(&format!("User-agent: *\n{rules}"), path), allowed, "{rules:?} {path}");
    }
}

#[test]
fn delays_and_sitemaps_are_reported() {
    let file = b"Sitemap: https://example.com/a.xml\nUser-agent: *\nCrawl-delay: 2.5\nCrawl-delay: 9\nDisallow: /x\n\
        sitemap:https://example.com/b.xml.gz\nSitemap: /relative.xml\nSitemap: ftp://example.com/c.xml\n";
    let robots = Robots::parse("OmniBot", file);
    assert_eq!(robots.crawl_delay(), Some(Duration::from_millis(2_500)));
    let sitemaps: Vec<_> = robots.sitemaps().iter().map(PageUrl::as_str).collect();
    assert_eq!(sitemaps, ["https://example.com/a.xml", "https://example.com/b.xml.gz"]);
    for (written, delay) in [
        ("0", Some(0)),
        ("30", Some(30)),
        ("86400", Some(30)),
        ("1e300", Some(30)),
        ("inf", Some(30)),
        ("-1", None),
        ("NaN", None),
        ("soon", None),
        ("", None),
    ] {
        let file = format!("User-agent: *\nCrawl-delay: {written}");
        let delay = delay.map(Duration::from_secs);
        assert_eq!(Robots::parse("OmniBot", file.as_bytes()).crawl_delay(), delay, "{written}");
    }
    let many = "Sitemap: https://example.com/s\n".repeat(1_000);
    assert_eq!(Robots::parse("OmniBot", many.as_bytes()).sitemaps().len(), 50);
}

#[test]
fn only_so_much_of_a_file_is_read_and_no_half_line_of_it() {
    let filler = "#".repeat(MAX_ROBOTS_BYTES - 40) + "\n";
    let file = format!("User-agent: *\n{filler}Disallow: /some/long/path\nDisallow: /other\n");
    assert!(file.len() > MAX_ROBOTS_BYTES);
    assert!(allows(&file, "/other"), "beyond the limit");
    assert!(allows(&file, "/some/long/path"), "cut in two by the limit");
    assert!(allows(&file, "/some"), "not half a rule");
    assert!(!allows(&format!("User-agent: *\nDisallow: /some/long/path\n{filler}"), "/some/long/path"));
}

/// As hostile as 500 KB can be. A regular expression for each rule takes 375 MB and 22 s for the second of these.
#[test]
fn the_worst_files_are_read_in_little_time_and_memory() {
    measure_alone("robots::the_worst_files");
}

#[test]
#[ignore = "measures the memory of its process; another test runs it alone"]
fn the_worst_files() {
    let fill = |line: &str| "User-agent: *\n".to_owned() + &line.repeat(MAX_ROBOTS_BYTES / line.len());
    let stars = format!("Disallow: /{}!\n", "a*".repeat(40));
    let few_stars = format!("User-agent: *\n{}", "Disallow: /a*a*!\n".repeat(5_000));
    let long = format!("Disallow: /{}\n", "*".repeat(400_000));
    let page = PageUrl::parse(&format!("https://example.com/{}", "a".repeat(2_000))).unwrap();
    for file in [
        fill("Disallow: /a$\n"),
        fill("Disallow: /*a*$\n"),
        fill(&stars),
        few_stars,
        fill("Disallow: /%\u{f6}\n"),
        long,
    ] {
        let (peak, start) = (Peak::since_now(), std::time::Instant::now());
        let robots = Robots::parse("OmniBot", file.as_bytes());
        let read = start.elapsed();
        std::hint::black_box(robots.allows(&page));
        let grown = peak.bytes();
        println!("{:.20}: read {read:?}, asked {:?}, {} KB", &file[14..], start.elapsed() - read, grown / 1024);
        assert!(start.elapsed() < Duration::from_secs(10));
        assert!(grown < 20 << 20, "{grown}");
    }
    for too_many in ["Allow: /a\n".repeat(5_001), format!("Allow: /{}\n", "*a".repeat(101)).repeat(100)] {
        assert!(!allows(&format!("User-agent: *\n{too_many}"), "/a"), "a file of too many rules forbids everything");
    }
}

proptest! {
    /// Where the standard leaves no doubt, a crate that was tried on 34 million sites says the same.
    #[test]
    fn another_library_reads_the_same(
        rules in proptest::collection::vec(("Allow|Disallow", "/[ab/*]{0,6}\\$?"), 0..6),
        paths in proptest::collection::vec("/[ab]{0,3}(/[ab]{1,3}){0,2}", 1..8),
        agent in "\\*|OmniBot|omnibot|OtherBot",
    ) {
        let lines: String = rules.iter().map(|(key, value)| format!("{key}: {value}\n")).collect();
        let file = format!("User-agent: {agent}\n{lines}");
        let (ours, theirs) = (Robots::parse("OmniBot", file.as_bytes()), texting_robots::Robot::new("OmniBot", file.as_bytes()).unwrap());
        for path in paths {
            let page = PageUrl::parse(&format!("https://example.com{path}")).unwrap();
            prop_assert_eq!(ours.allows(&page), theirs.allowed(page.address().as_str()), "{} {}", file, path);
        }
    }

    #[test]
    fn any_bytes_are_a_file(file in proptest::collection::vec(any::<u8>(), 0..300), path in "/[ -~]{0,30}") {
        if let Ok(page) = PageUrl::parse(&format!("https://example.com{path}")) {
            std::hint::black_box(Robots::parse("OmniBot", &file).allows(&page));
        }
    }
}

async fn robots_of(server: &Server) -> (bool, bool) {
    robots_within(server, FetchLimits::default().deadline).await
}

async fn robots_within(server: &Server, deadline: Duration) -> (bool, bool) {
    let policy = CrawlPolicy { respect_robots_txt: true, ..server.policy() };
    let limits = FetchLimits { deadline, ..FetchLimits::default() };
    let fetcher = Fetcher::new(FetcherParts { limits, ..server.parts(&policy) });
    let robots = fetcher.robots(&server.page("/").origin()).await;
    (robots.allows(&server.page("/a")), robots.is_unreachable())
}

#[tokio::test]
async fn the_status_says_what_a_missing_file_means() {
    for (status, allowed, unreachable) in [
        (200, false, false),
        (204, true, false),
        (304, false, true),
        (401, true, false),
        (403, true, false),
        (404, true, false),
        (410, true, false),
        (429, false, true),
        (500, false, true),
        (503, false, true),
    ] {
        let server = Server::start(move |_| answer(status, "", b"User-agent: *\nDisallow: /")).await;
        assert_eq!(robots_of(&server).await, (allowed, unreachable), "{status}");
        assert_eq!(server.paths(), ["/robots.txt"]);
    }
}

#[tokio::test]
async fn a_server_that_cannot_be_asked_allows_nothing() {
    let drip = |_: &str| Answer::Drip(b"HTTP/1.1 200 OK\r\n\r\n".to_vec(), Duration::from_millis(20));
    assert_eq!(robots_within(&Server::start(drip).await, Duration::from_millis(300)).await, (false, true));
    assert_eq!(robots_of(&Server::start(|_| Answer::Close(Vec::new())).await).await, (false, true));
    let inside = |_: &str| redirect("http://169.254.169.254/robots.txt");
    assert_eq!(robots_of(&Server::start(inside).await).await, (false, true));
}

#[tokio::test]
async fn redirects_are_followed_and_a_circle_of_them_is_no_file() {
    let server = Server::start(|request| match path(request) {
        "/robots.txt" => redirect("/real-robots.txt"),
        _ => text("User-agent: *\nDisallow: /"),
    })
    .await;
    assert_eq!(robots_of(&server).await, (false, false));
    assert_eq!(robots_of(&Server::start(|_| redirect("/robots.txt")).await).await, (true, false));
}

#[tokio::test]
async fn of_an_endless_file_the_beginning_counts() {
    let head = b"HTTP/1.1 200 OK\r\n\r\nUser-agent: *\nDisallow: /a\n".to_vec();
    let server = Server::start(move |_| Answer::Flood(head.clone(), b"# and so on\n".repeat(1_000))).await;
    assert_eq!(robots_of(&server).await, (false, false));
    let bomb = crate::server::gzip(&[&b"User-agent: *\nDisallow: /a\n"[..], &vec![b'#'; 64 << 20]].concat());
    let server = Server::start(move |_| answer(200, "Content-Encoding: gzip\r\n", &bomb)).await;
    assert_eq!(robots_of(&server).await, (false, false));
}

#[tokio::test]
async fn each_origin_is_asked_once_in_a_crawl() {
    let server = Server::of([("/robots.txt", text("User-agent: *\nDisallow: /x")), ("/", html(""))]).await;
    let policy = CrawlPolicy { respect_robots_txt: true, ..server.policy() };
    let fetcher = Fetcher::new(server.parts(&policy));
    let origin = server.page("/").origin();
    let (one, two) = tokio::join!(fetcher.robots(&origin), fetcher.robots(&origin));
    assert!(Arc::ptr_eq(&one, &two));
    fetcher.fetch(&server.page("/"), &omni_crawl::Validators::default()).await;
    assert_eq!(server.paths(), ["/robots.txt", "/"]);
}
