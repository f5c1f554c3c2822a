//! Which pages belong.

use omni_crawl::{CrawlPolicy, Decision, PageUrl, Refusal, Robots, Scope, Via};

fn policy(seed: &str) -> CrawlPolicy {
    CrawlPolicy { seed_url: Some(seed.to_owned()), ..CrawlPolicy::default() }
}

fn page(url: &str) -> PageUrl {
    PageUrl::parse(url).unwrap()
}

#[test]
fn a_crawl_stays_on_the_host_of_its_seed() {
    let scope = Scope::new(&policy("https://example.com/docs")).unwrap();
    for (url, belongs) in [
        ("https://example.com/", true),
        ("http://example.com/a", true),
        ("https://www.example.com/a", true),
        ("https://EXAMPLE.com:443/a", true),
        ("https://docs.example.com/", false),
        ("https://www.www.example.com/", false),
        ("https://example.com.evil.example/", false),
        ("https://example.org/", false),
        ("https://example.com:8443/", false),
        ("http://example.com:22/", false),
        ("http://127.0.0.1/", false),
    ] {
        let expected: Decision = if belongs { Ok(()) } else { Err(Refusal::OtherHost) };
        assert_eq!(scope.decide(&page(url), Via::Link, 1, None), expected, "{url}");
    }
    let scope = Scope::new(&policy("http://www.example.com:8080/")).unwrap();
    assert_eq!(scope.decide(&page("http://example.com:8080/"), Via::Link, 1, None), Ok(()));
    assert_eq!(scope.decide(&page("http://example.com/"), Via::Link, 1, None), Err(Refusal::OtherHost));
}

#[test]
fn without_a_seed_the_sitemaps_host_counts_and_without_both_no_link_is_followed() {
    let sitemap = CrawlPolicy { sitemap_url: Some("https://example.com/s.xml".to_owned()), ..CrawlPolicy::default() };
    let scope = Scope::new(&sitemap).unwrap();
    assert_eq!(scope.decide(&page("https://example.com/a"), Via::Sitemap, 0, None), Ok(()));
    assert_eq!(scope.decide(&page("https://other.example/a"), Via::Sitemap, 0, None), Err(Refusal::OtherHost));
    let manual = CrawlPolicy { manual_urls: vec!["https://example.com/a".to_owned()], ..CrawlPolicy::default() };
    let scope = Scope::new(&manual).unwrap();
    assert_eq!(scope.decide(&page("https://example.com/a"), Via::Manual, 0, None), Ok(()));
    assert_eq!(scope.decide(&page("https://example.com/b"), Via::Link, 1, None), Err(Refusal::OtherHost));
}

#[test]
fn every_reason_has_its_name() {
    let policy = CrawlPolicy {
        include_globs: vec!["/docs/**".to_owned()],
        exclude_globs: vec!["**/print".to_owned()],
        ..policy("https://example.com/")
    };
    let scope = Scope::new(&policy).unwrap();
    let robots = Robots::parse("OmniBot", b"User-agent: *\nDisallow: /docs/secret");
    let long = format!("https://example.com/docs/{}", "x".repeat(3_000));
    for (written, via, depth, reason) in [
        ("https://example.com/docs", Via::Link, 2, None),
        ("https://example.com/docs", Via::Link, 3, Some("too_deep")),
        ("https://example.com/docs", Via::Sitemap, 0, None),
        ("https://example.com/blog", Via::Sitemap, 0, Some("not_included")),
        ("https://example.com/docs/a/print", Via::Link, 1, Some("excluded_by_glob")),
        ("https://example.com/docs/secret/a", Via::Link, 1, Some("robots")),
        ("https://example.com/docs/secret/a", Via::Manual, 0, Some("robots")),
        ("https://example.com/", Via::Seed, 0, None),
        ("https://other.example/print", Via::Manual, 0, None),
        ("https://other.example/docs", Via::Link, 1, Some("other_host")),
        ("mailto:a@example.com", Via::Link, 1, Some("not_http")),
        ("/docs", Via::Link, 1, Some("not_http")),
        (&long, Via::Link, 1, Some("too_long")),
    ] {
        let decision = scope.admit(written, via, depth, Some(&robots));
        assert_eq!(decision.err().map(Refusal::as_str), reason, "{written:.60} {via:?}");
    }
    let ignoring = CrawlPolicy { respect_robots_txt: false, ..policy };
    let scope = Scope::new(&ignoring).unwrap();
    assert_eq!(scope.decide(&page("https://example.com/docs/secret"), Via::Link, 1, Some(&robots)), Ok(()));
    let names = serde_json::to_value([Refusal::OtherHost, Refusal::ExcludedByGlob, Refusal::Robots]).unwrap();
    assert_eq!(names, serde_json::json!(["other_host", "excluded_by_glob", "robots"]));
}

#[test]
fn a_redirect_is_judged_by_where_it_leads() {
    let policy = CrawlPolicy {
        include_globs: vec!["/docs/**".to_owned()],
        manual_urls: vec!["https://other.example/a".to_owned()],
        ..policy("https://example.com/")
    };
    let scope = Scope::new(&policy).unwrap();
    for (from, to, decision) in [
        ("https://example.com/docs", "https://www.example.com/docs/", Ok(())),
        ("http://example.com/docs", "https://example.com/docs", Ok(())),
        ("https://example.com/docs", "https://example.com/blog", Err(Refusal::NotIncluded)),
        ("https://example.com/", "https://example.com/home", Ok(())),
        ("https://example.com/docs", "https://other.example/docs", Err(Refusal::OtherHost)),
        ("https://other.example/a", "https://www.other.example/b", Ok(())),
        ("https://other.example/a", "https://third.example/a", Err(Refusal::OtherHost)),
    ] {
        assert_eq!(scope.decide_redirect(&page(from), &page(to), None), decision, "{from} {to}");
    }
}
