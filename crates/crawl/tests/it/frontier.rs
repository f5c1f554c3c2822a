//! The order of a crawl, and its end.

use std::{sync::Arc, time::Duration};

use omni_crawl::{
    Budget, CrawlPolicy, FetchFailure, Fetched, Frontier, Offered, Page, PageUrl, Recorded, Refusal, Robots, Scope,
    Step, Stop, Validators, Via,
};

use crate::server::NOON;

fn page(path: &str) -> PageUrl {
    PageUrl::parse(&format!("https://example.com{path}")).unwrap()
}

fn policy() -> CrawlPolicy {
    CrawlPolicy {
        seed_url: Some("https://example.com/".to_owned()),
        respect_robots_txt: false,
        ..CrawlPolicy::default()
    }
}

fn frontier(policy: &CrawlPolicy, budget: Budget) -> Frontier {
    Frontier::new(Arc::new(Scope::new(policy).unwrap()), budget, NOON)
}

fn arrived(at: &PageUrl, bytes: usize) -> Fetched {
    Fetched::Page(Page {
        final_url: at.clone(),
        media_type: "text/html".to_owned(),
        charset: None,
        bytes: vec![b'x'; bytes].into(),
        validators: Validators::default(),
    })
}

/// Visits everything, each page leading to itself, and tells the paths in order.
fn visit_all(frontier: &mut Frontier) -> (Vec<String>, Stop) {
    let mut visited = Vec::new();
    loop {
        match frontier.next(NOON) {
            Step::Visit(visit) => {
                visited.push(visit.url.path_and_query().to_owned());
                assert_eq!(frontier.record(&visit.url, &arrived(&visit.url, 10)), Recorded::Counted);
            }
            Step::Done(stop) => return (visited, stop),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn listed_pages_come_first_then_the_seed_then_sitemaps_then_the_nearest_links() {
    let mut frontier = frontier(&policy(), Budget::default());
    for (path, via, depth) in [
        ("/far", Via::Link, 2),
        ("/near", Via::Link, 1),
        ("/listed", Via::Sitemap, 0),
        ("/near-too", Via::Link, 1),
        ("/", Via::Seed, 0),
        ("/manual", Via::Manual, 0),
        ("/listed-too", Via::Sitemap, 0),
        ("/manual-too", Via::Manual, 0),
    ] {
        assert_eq!(frontier.offer(&page(path), via, depth), Offered::Queued);
    }
    let order = ["/manual", "/manual-too", "/", "/listed", "/listed-too", "/near", "/near-too", "/far"];
    assert_eq!(visit_all(&mut frontier), (order.map(str::to_owned).to_vec(), Stop::Complete));
    assert_eq!((frontier.tally().discovered, frontier.tally().indexed, frontier.spending()), (8, 8, (8, 80)));
}

#[test]
fn a_page_is_visited_once_and_earlier_if_it_is_found_by_a_better_way() {
    let mut frontier = frontier(&policy(), Budget::default());
    for (path, via, depth, offered) in [
        ("/a", Via::Link, 1, Offered::Queued),
        ("/b", Via::Link, 2, Offered::Queued),
        ("/b/", Via::Link, 2, Offered::Known),
        ("/b?utm_source=x#y", Via::Link, 1, Offered::Upgraded),
        ("/b", Via::Link, 2, Offered::Known),
        ("/b", Via::Sitemap, 0, Offered::Upgraded),
        ("/b", Via::Sitemap, 0, Offered::Known),
    ] {
        assert_eq!(frontier.offer(&page(path), via, depth), offered, "{path} {via:?} {depth}");
    }
    assert_eq!(visit_all(&mut frontier).0, ["/b", "/a"]);
    assert_eq!(frontier.offer(&page("/a"), Via::Manual, 0), Offered::Known, "it has had its turn");
    assert_eq!(visit_all(&mut frontier).0, [""; 0]);
    assert_eq!(frontier.tally().discovered, 2);
}

#[test]
fn what_does_not_belong_is_counted_once_by_reason() {
    let policy = CrawlPolicy { exclude_globs: vec!["/x/**".to_owned()], ..policy() };
    let mut frontier = frontier(&policy, Budget::default());
    let other = PageUrl::parse("https://other.example/").unwrap();
    for _ in 0..3 {
        assert_eq!(frontier.offer(&other, Via::Link, 1), Offered::Refused(Refusal::OtherHost));
        assert_eq!(frontier.offer(&page("/x/1"), Via::Link, 1), Offered::Refused(Refusal::ExcludedByGlob));
        assert_eq!(frontier.offer(&page("/deep"), Via::Link, 3), Offered::Refused(Refusal::TooDeep));
    }
    let excluded_later = CrawlPolicy { include_globs: vec!["/y".to_owned()], ..policy.clone() };
    let mut other_frontier = self::frontier(&excluded_later, Budget::default());
    other_frontier.offer(&page("/z"), Via::Link, 3);
    other_frontier.offer(&page("/z"), Via::Link, 1);
    other_frontier.offer(&page("/z"), Via::Manual, 0);
    assert_eq!(other_frontier.tally().excluded_in_all(), 0, "the reason that was counted is taken back");
    let counts = serde_json::json!({"other_host": 1, "excluded_by_glob": 1, "too_deep": 1});
    assert_eq!(serde_json::to_value(&frontier.tally().excluded).unwrap(), counts);
    assert_eq!(frontier.offer(&page("/deep"), Via::Link, 2), Offered::Queued, "a shorter way leads there too");
    assert_eq!((frontier.tally().excluded_in_all(), frontier.tally().discovered), (2, 1));
}

#[test]
fn nothing_is_visited_before_its_server_was_asked() {
    let policy = CrawlPolicy { respect_robots_txt: true, ..policy() };
    let mut frontier = frontier(&policy, Budget::default());
    frontier.offer(&page("/"), Via::Seed, 0);
    frontier.offer(&page("/secret/a"), Via::Link, 1);
    let http = PageUrl::parse("http://example.com/plain").unwrap();
    frontier.offer(&http, Via::Link, 2);
    let origin = page("/").origin();
    for _ in 0..2 {
        assert_eq!(frontier.next(NOON), Step::LearnRobots(origin.clone()));
    }
    frontier.learn(origin, Arc::new(Robots::parse("OmniBot", b"User-agent: *\nDisallow: /secret")));
    let Step::Visit(visit) = frontier.next(NOON) else { panic!() };
    assert_eq!(visit.url, page("/"));
    assert_eq!(frontier.next(NOON), Step::LearnRobots(http.origin()), "/secret/a is left out on the way");
    assert_eq!(frontier.offer(&page("/secret/b"), Via::Link, 1), Offered::Refused(Refusal::Robots));
    frontier.learn(http.origin(), Arc::new(Robots::unreachable()));
    assert_eq!(frontier.next(NOON), Step::Wait, "the seed may still lead somewhere");
    frontier.record(&page("/"), &Fetched::Gone);
    assert_eq!(frontier.next(NOON), Step::Done(Stop::Complete));
    assert_eq!(frontier.tally().excluded[&Refusal::Robots], 3);
    assert_eq!((frontier.tally().discovered, frontier.tally().removed), (1, 1));
}

#[test]
fn each_budget_ends_the_crawl_by_its_name() {
    let offer_ten = |frontier: &mut Frontier| {
        for nth in 0..10 {
            frontier.offer(&page(&format!("/{nth}")), Via::Link, 1);
        }
    };
    for (budget, visits, stop) in [
        (Budget { pages: 3, ..Budget::default() }, 3, Stop::Pages),
        (Budget { pages: 10, ..Budget::default() }, 10, Stop::Complete),
        (Budget { bytes: 35, ..Budget::default() }, 4, Stop::Bytes),
        (Budget { time: Duration::ZERO, ..Budget::default() }, 0, Stop::Time),
    ] {
        let mut frontier = frontier(&policy(), budget);
        offer_ten(&mut frontier);
        let (visited, stopped) = visit_all(&mut frontier);
        assert_eq!((visited.len(), stopped), (visits, stop));
    }
    let mut frontier = frontier(&policy(), Budget::default());
    offer_ten(&mut frontier);
    let almost = NOON + Duration::from_secs(7_199);
    assert_eq!(frontier.time_left(almost), Duration::from_secs(1));
    assert!(matches!(frontier.next(almost), Step::Visit(_)));
    let late = NOON + Duration::from_secs(7_200);
    assert_eq!(frontier.next(late), Step::Done(Stop::Time));
    assert_eq!(frontier.time_left(late + Duration::from_secs(1)), Duration::ZERO);
    assert_eq!(
        [Stop::Complete, Stop::Pages, Stop::Bytes, Stop::Time].map(Stop::code),
        ["complete", "page_budget_spent", "byte_budget_spent", "time_budget_spent"]
    );
}

#[test]
fn pages_that_redirect_to_one_page_are_that_page_once() {
    let mut frontier = frontier(&policy(), Budget::default());
    for path in ["/old", "/older", "/new", "/slash"] {
        frontier.offer(&page(path), Via::Link, 1);
    }
    let mut next = || match frontier.next(NOON) {
        Step::Visit(visit) => Some(visit.url.path_and_query().to_owned()),
        _ => None,
    };
    assert_eq!(next().as_deref(), Some("/old"));
    assert_eq!(next().as_deref(), Some("/older"));
    assert_eq!(frontier.record(&page("/old"), &arrived(&page("/new"), 1)), Recorded::Counted);
    assert_eq!(frontier.record(&page("/older"), &arrived(&page("/new"), 1)), Recorded::Duplicate);
    assert_eq!(frontier.record(&page("/older"), &arrived(&page("/new"), 1)), Recorded::Unasked);
    let Step::Visit(visit) = frontier.next(NOON) else { panic!() };
    assert_eq!(visit.url, page("/slash"), "/new is there already");
    assert_eq!(frontier.record(&page("/slash"), &arrived(&page("/slash/"), 1)), Recorded::Counted);
    assert_eq!((frontier.tally().indexed, frontier.tally().skipped), (2, 1));
    assert_eq!(frontier.offer(&page("/new"), Via::Manual, 0), Offered::Known);
}

#[test]
fn a_page_that_is_not_due_is_passed_over() {
    let mut frontier = frontier(&policy(), Budget::default());
    frontier.offer(&page("/due"), Via::Link, 1);
    frontier.offer(&page("/fresh"), Via::Link, 1);
    frontier.pass_over(&page("/fresh"));
    frontier.pass_over(&page("/fresh-too"));
    assert_eq!(frontier.offer(&page("/fresh-too"), Via::Sitemap, 0), Offered::Known);
    assert_eq!(visit_all(&mut frontier), (vec!["/due".to_owned()], Stop::Complete));
}

#[test]
fn every_outcome_has_its_count() {
    let mut frontier = frontier(&policy(), Budget::default());
    let outcomes = [
        arrived(&page("/0"), 5),
        Fetched::NotModified,
        Fetched::Gone,
        Fetched::Refused { status: 403 },
        Fetched::RedirectedOut { to: None, reason: Refusal::OtherHost },
        Fetched::Failed { reason: FetchFailure::TimedOut, retry: true },
        Fetched::Unsupported { media_type: "image/png".to_owned() },
        Fetched::TooLarge,
    ];
    for (nth, outcome) in outcomes.iter().enumerate() {
        let page = page(&format!("/{nth}"));
        frontier.offer(&page, Via::Link, 1);
        assert!(matches!(frontier.next(NOON), Step::Visit(_)));
        frontier.record(&page, outcome);
    }
    insta::assert_json_snapshot!(frontier.tally(), @r#"
    {
      "discovered": 8,
      "indexed": 1,
      "unchanged": 1,
      "skipped": 3,
      "removed": 1,
      "failed": 2,
      "excluded": {},
      "not_kept": 0
    }
    "#);
}

#[test]
fn a_policy_begins_with_its_listed_pages_and_its_seed() {
    let policy = CrawlPolicy {
        manual_urls: vec!["https://other.example/a".to_owned(), "https://example.com/b".to_owned()],
        max_pages: 2,
        include_globs: vec!["/docs/**".to_owned()],
        ..policy()
    };
    let mut frontier = Frontier::of_policy(&policy, NOON).unwrap();
    assert_eq!(visit_all(&mut frontier), (vec!["/a".to_owned(), "/b".to_owned()], Stop::Pages));
    let invalid = CrawlPolicy { max_pages: 0, ..policy };
    assert_eq!(Frontier::of_policy(&invalid, NOON).unwrap_err().field, "max_pages");
}
