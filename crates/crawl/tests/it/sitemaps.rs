//! Sitemaps: what they list, and what they must not be able to do.

use std::time::{Duration, Instant};

use omni_crawl::{Cut, MAX_CHILD_SITEMAPS, MAX_SITEMAP_PAGES, PageUrl, Sitemap};
use proptest::{prelude::*, proptest};
use time::macros::datetime;

use crate::{
    memory::{Peak, measure_alone},
    server::{Answer, Server, answer, gzip, path, redirect, text},
};

fn urlset(entries: &str) -> String {
    format!("<?xml version=\"1.0\"?>\n<urlset xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\">{entries}</urlset>")
}

fn index(entries: &str) -> String {
    format!("<sitemapindex>{entries}</sitemapindex>")
}

fn listed(sitemap: &Sitemap) -> Vec<&str> {
    sitemap.pages.iter().map(|page| page.url.as_str()).collect()
}

#[test]
fn pages_and_their_dates_are_read_whatever_else_is_there() {
    let file = urlset(
        "<url><loc> https://example.com/a?x=1&amp;y=&#x32; </loc><lastmod>2026-11-25</lastmod><priority>1</priority>
           <image:image xmlns:image='i'><image:loc>https://example.com/a.png</image:loc></image:image></url>
         <!-- <url><loc>https://example.com/comment</loc></url> -->
         <url><lastmod>never</lastmod><loc><![CDATA[https://example.com/b?x=1&y=2]]></loc></url>
         <url><loc>https://example.com/c?x=1&y=2</loc></url>
         <url><loc>/relative</loc></url><url><loc/></url><url/>
         <other><loc>https://example.com/other</loc></other>",
    );
    let sitemap = Sitemap::parse(file.as_bytes());
    let pages = ["https://example.com/a?x=1&y=2", "https://example.com/b?x=1&y=2", "https://example.com/c?x=1&y=2"];
    assert_eq!(listed(&sitemap), pages);
    assert_eq!(sitemap.pages[0].last_modified, Some(datetime!(2026-11-25 00:00 UTC)));
    assert_eq!(sitemap.pages[1].last_modified, None);
    assert_eq!((sitemap.unreadable, sitemap.cut), (2, None));
    assert_eq!(Sitemap::parse(&gzip(file.as_bytes())), sitemap, "packed or not");
    let with_prefix = "<s:urlset xmlns:s='x'><s:url><s:loc>https://example.com/</s:loc></s:url></s:urlset>";
    assert_eq!(listed(&Sitemap::parse(with_prefix.as_bytes())), ["https://example.com/"]);
}

#[test]
fn what_is_broken_counts_up_to_where_it_is() {
    let one = "<url><loc>https://example.com/a</loc></url>";
    let whole = urlset(one);
    let cut_in_two = gzip(urlset(&one.repeat(5_000)).as_bytes());
    let cases: [(&[u8], usize, Option<Cut>); 12] = [
        (whole.as_bytes(), 1, None),
        (b"<urlset/>", 0, None),
        (b"", 0, Some(Cut::NotASitemap)),
        (b"hello", 0, Some(Cut::NotASitemap)),
        (b"<!doctype html><html><body></body></html>", 0, Some(Cut::NotASitemap)),
        (b"<rss><channel></channel></rss>", 0, Some(Cut::NotASitemap)),
        (whole.trim_end_matches("</urlset>").as_bytes(), 1, Some(Cut::Malformed)),
        (b"<urlset><url><loc>https://example.com/</loc></url></oops>", 1, Some(Cut::Malformed)),
        (b"<urlset><url><loc>https://example.com/</loc></url></urlset><urlset></urlset>", 1, Some(Cut::Malformed)),
        (b"<urlset><url><loc>https://example.com/\xff</loc></url></urlset>", 0, Some(Cut::Malformed)),
        (b"\x1f\x8bnonsense", 0, Some(Cut::NotASitemap)),
        (&cut_in_two[..cut_in_two.len() - 12], 5_000, Some(Cut::Malformed)),
    ];
    for (file, pages, cut) in cases {
        let sitemap = Sitemap::parse(file);
        let enough = if pages > 1 { sitemap.pages.len() <= pages } else { sitemap.pages.len() == pages };
        assert!(enough && sitemap.cut == cut, "{}: {sitemap:?}", String::from_utf8_lossy(&file[..file.len().min(80)]));
    }
}

#[test]
fn entities_are_not_expanded() {
    let laughs = "<!DOCTYPE urlset [<!ENTITY a \"https://example.com/\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;\">
        <!ENTITY x SYSTEM \"file:///etc/passwd\">]>";
    let entries = "<url><loc>&a;</loc></url><url><loc>&b;</loc></url><url><loc>https://example.com/&x;</loc></url>";
    let sitemap = Sitemap::parse(format!("{laughs}{}", urlset(entries).split_once('\n').unwrap().1).as_bytes());
    assert_eq!(listed(&sitemap), ["https://example.com/&x;"]);
    assert_eq!((sitemap.unreadable, sitemap.cut), (2, None));
}

#[test]
fn the_limits_hold_for_whatever_is_sent() {
    measure_alone("sitemaps::whatever_is_sent");
}

#[test]
#[ignore = "measures the memory of its process; another test runs it alone"]
fn whatever_is_sent() {
    let entry = |nth: usize| format!("<url><loc>https://example.com/{nth}</loc></url>");
    let many: String = (0..=MAX_SITEMAP_PAGES).map(entry).collect();
    let long: String =
        (0..6_000).map(|nth| format!("<url><loc>https://example.com/{nth}{}</loc></url>", "x".repeat(1_800))).collect();
    let children: String = (0..=MAX_CHILD_SITEMAPS)
        .map(|nth| format!("<sitemap><loc>https://example.com/{nth}</loc></sitemap>"))
        .collect();
    let huge_text = urlset(&format!("<url><loc>https://example.com/{}</loc></url>", "x".repeat(9 << 20)));
    let nested = format!("<urlset>{}", "<a>".repeat(1_000_000));
    for (name, file, pages, cut) in [
        ("many pages", urlset(&many).into_bytes(), MAX_SITEMAP_PAGES, Some(Cut::TooManyPages)),
        ("large", urlset(&long).into_bytes(), 5_700, Some(Cut::TooLarge)),
        ("many children", index(&children).into_bytes(), 0, Some(Cut::TooManyChildren)),
        ("one long text", huge_text.into_bytes(), 0, None),
        ("deep", nested.into_bytes(), 0, Some(Cut::Malformed)),
        ("bomb of spaces", gzip(urlset(&" ".repeat(16 << 20)).as_bytes()), 0, Some(Cut::TooLarge)),
        (
            "bomb of pages",
            gzip(urlset(&entry(1).repeat(250_000)).as_bytes()),
            MAX_SITEMAP_PAGES,
            Some(Cut::TooManyPages),
        ),
        ("bomb of bombs", gzip(&gzip(&vec![b'<'; 16 << 20])), 0, Some(Cut::NotASitemap)),
    ] {
        let (peak, start) = (Peak::since_now(), Instant::now());
        let sitemap = Sitemap::parse(&file);
        let grown = peak.bytes();
        println!(
            "{name}: {} pages, {:?}, {} KB, {:?}",
            sitemap.pages.len(),
            start.elapsed(),
            grown / 1024,
            sitemap.cut
        );
        assert_eq!(sitemap.cut, cut, "{name}");
        assert!(
            sitemap.pages.len() == pages || name == "large" && sitemap.pages.len() <= pages,
            "{name}: {}",
            sitemap.pages.len()
        );
        assert!(grown < 50 << 20, "{name}: {grown}");
        assert!(start.elapsed() < Duration::from_secs(120), "{name}");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_to_an_end(file in proptest::collection::vec(any::<u8>(), 0..400)) {
        prop_assert!(Sitemap::parse(&file).pages.len() <= file.len());
    }

    #[test]
    fn any_sequence_of_marks_is_read_to_an_end(
        pieces in proptest::collection::vec(
            prop_oneof![
                Just("<urlset>"), Just("</urlset>"), Just("<sitemapindex>"), Just("<url>"), Just("</url>"), Just("<loc>"),
                Just("</loc>"), Just("<loc/>"), Just("<lastmod>"), Just("</lastmod>"), Just("https://example.com/"),
                Just("&amp;"), Just("&x;"), Just("&"), Just("<![CDATA["), Just("]]>"), Just("<!--"), Just("-->"),
                Just("<!DOCTYPE x ["), Just("]>"), Just("<"), Just(">"), Just("\u{f6}"),
            ],
            0..40,
        ),
    ) {
        let sitemap = Sitemap::parse(pieces.concat().as_bytes());
        prop_assert!(sitemap.pages.len() <= pieces.len());
    }

    #[test]
    fn what_is_listed_is_found(paths in proptest::collection::vec("[a-z0-9&<>'\"]{1,12}", 0..20)) {
        let escaped = |path: &String| path.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        let entries: String = paths.iter().map(|path| format!("<url><loc>https://example.com/{}</loc></url>", escaped(path))).collect();
        let expected: Vec<_> = paths.iter().map(|path| PageUrl::parse(&format!("https://example.com/{path}")).unwrap()).collect();
        let found: Vec<_> = Sitemap::parse(urlset(&entries).as_bytes()).pages.into_iter().map(|page| page.url).collect();
        prop_assert_eq!(found, expected);
    }
}

#[tokio::test]
async fn an_index_is_followed_one_level_deep_and_on_its_host() {
    let entry = |loc: &str| format!("<sitemap><loc>{loc}</loc></sitemap>");
    let pages = |path: &str| urlset(&format!("<url><loc>https://example.com/{path}</loc></url>"));
    let server = Server::start(move |request| {
        let at = |path: &str| format!("http://{}{path}", crate::server::header(request, "host").unwrap());
        match path(request) {
            "/index.xml" => text(
                &index(
                    &["/a.xml", "/b.xml.gz", "/deeper.xml", "/missing.xml", "/moved.xml"]
                        .map(|path| entry(&at(path)))
                        .concat(),
                )
                .replace("</sitemapindex>", &(entry("https://other.example/s.xml") + "</sitemapindex>")),
            ),
            "/a.xml" => text(&pages("a")),
            "/b.xml.gz" => answer(200, "Content-Type: application/x-gzip\r\n", &gzip(pages("b").as_bytes())),
            "/deeper.xml" => text(&index(&entry(&at("/a.xml")))),
            "/moved.xml" => redirect("/c.xml"),
            "/c.xml" => answer(200, "Content-Encoding: gzip\r\n", &gzip(pages("c").as_bytes())),
            _ => answer(404, "", b""),
        }
    })
    .await;
    let found = server.fetcher().sitemap(&server.page("/index.xml")).await;
    let urls: Vec<_> = found.pages.iter().map(|page| page.url.as_str()).collect();
    assert_eq!(urls, ["https://example.com/a", "https://example.com/b", "https://example.com/c"]);
    let problems: Vec<_> = found.problems.iter().map(|problem| (problem.sitemap.as_str(), problem.cut)).collect();
    let [deeper, missing] = ["/deeper.xml", "/missing.xml"].map(|path| server.url(path));
    assert_eq!(
        problems,
        [
            (deeper.as_str(), Cut::NestedIndex),
            (missing.as_str(), Cut::Unavailable),
            ("https://other.example/s.xml", Cut::OtherHost),
        ]
    );
    let asked = ["/index.xml", "/a.xml", "/b.xml.gz", "/deeper.xml", "/missing.xml", "/moved.xml", "/c.xml"];
    assert_eq!(server.paths(), asked);
}

#[tokio::test]
async fn all_sitemaps_of_an_index_share_one_limit() {
    let entries: String = (0..20_000).map(|nth| format!("<url><loc>https://example.com/{nth}</loc></url>")).collect();
    let child = urlset(&entries);
    let server = Server::start(move |request| {
        let at = |nth: usize| {
            format!("<sitemap><loc>http://{}/{nth}</loc></sitemap>", crate::server::header(request, "host").unwrap())
        };
        if path(request) == "/index.xml" { text(&index(&(0..40).map(at).collect::<String>())) } else { text(&child) }
    })
    .await;
    let found = server.fetcher().sitemap(&server.page("/index.xml")).await;
    assert_eq!(found.pages.len(), MAX_SITEMAP_PAGES);
    assert_eq!(found.problems.last().unwrap().cut, Cut::TooManyPages);
    assert_eq!(server.paths().len(), 4, "the index and the three sitemaps that fill the limit");
}

#[tokio::test]
async fn a_sitemap_without_end_or_answer_is_noted() {
    let server = Server::start(|request| match path(request) {
        "/endless.xml" => Answer::Flood(b"HTTP/1.1 200 OK\r\n\r\n<urlset>".to_vec(), b"<url></url>".repeat(5_000)),
        "/page.xml" => crate::server::html("<!doctype html><p>"),
        "/broken.xml" => Answer::Close(Vec::new()),
        _ => answer(500, "", b""),
    })
    .await;
    for (path, cut) in [
        ("/endless.xml", Cut::TooLarge),
        ("/page.xml", Cut::NotASitemap),
        ("/broken.xml", Cut::Unavailable),
        ("/500.xml", Cut::Unavailable),
    ] {
        let found = server.fetcher().sitemap(&server.page(path)).await;
        assert_eq!(found.problems.iter().map(|problem| problem.cut).collect::<Vec<_>>(), [cut], "{path}");
    }
}
