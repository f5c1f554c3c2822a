//! Sites without end.

use std::time::{Duration, Instant};

use bytes::Bytes;
use omni_crawl::{
    CrawlPolicy, Fetched, Frontier, MAX_KNOWN, Offered, Page, PageUrl, Step, Stop, Validators, Via, resolve_links,
};

use crate::{
    memory::{Peak, measure_alone},
    server::NOON,
};

fn arrived(url: &PageUrl) -> Fetched {
    Fetched::Page(Page {
        final_url: url.clone(),
        media_type: "text/html".to_owned(),
        charset: None,
        bytes: Bytes::from_static(b"<p>"),
        validators: Validators::default(),
    })
}

/// The links of one page of a thousand: a million in all where the code is optimised, and otherwise a tenth, still twice
/// as many as are kept.
const LINKS_OF_A_PAGE: u64 = if cfg!(debug_assertions) { 100 } else { 1_000 };

/// A calendar that links from every day to many others, and one of fewer links whose URLs are
/// the longest there are.
#[test]
fn endless_links_stay_within_the_budget() {
    measure_alone("trap::endless_links");
}

#[test]
#[ignore = "measures the memory of its process; another test runs it alone"]
fn endless_links() {
    for (padding, links_of_a_page) in [(20, LINKS_OF_A_PAGE), (1_900, 20)] {
        let padding = "x".repeat(padding);
        let policy = CrawlPolicy {
            seed_url: Some("https://example.com/".to_owned()),
            respect_robots_txt: false,
            max_depth: 5,
            ..CrawlPolicy::default()
        };
        let mut frontier = Frontier::of_policy(&policy, NOON).unwrap();
        let (peak, start) = (Peak::since_now(), Instant::now());
        let (mut visits, mut offers) = (0_u64, 0_u64);
        let stop = loop {
            match frontier.next(NOON) {
                Step::Visit(visit) => {
                    let links = (0..links_of_a_page).map(|nth| format!("/{}/{nth}/{padding}", visits * 1_000));
                    for link in resolve_links(&visit.url, None, links) {
                        frontier.offer(&link, Via::Link, visit.depth + 1);
                        offers += 1;
                    }
                    frontier.record(&visit.url, &arrived(&visit.url));
                    visits += 1;
                }
                Step::Done(stop) => break stop,
                other => panic!("{other:?}"),
            }
        };
        let grown = peak.bytes();
        let tally = frontier.tally();
        println!(
            "{offers} links of {} bytes: {visits} visits, {} kept, {} not, {} KB, {:?}",
            padding.len(),
            tally.discovered,
            tally.not_kept,
            grown / 1024,
            start.elapsed()
        );
        assert_eq!((stop, visits, offers), (Stop::Pages, 1_000, 1_000 * links_of_a_page));
        assert_eq!(tally.discovered + tally.not_kept, 1 + 1_000 * links_of_a_page);
        assert!(usize::try_from(tally.discovered).unwrap() <= MAX_KNOWN);
        assert!(grown < 50 << 20, "{grown}");
        assert!(start.elapsed() < Duration::from_secs(120));
    }
}

/// As many links to elsewhere: they take no room from the site's own pages.
#[test]
fn endless_links_to_elsewhere_leave_room_for_the_site() {
    measure_alone("trap::endless_links_to_elsewhere");
}

#[test]
#[ignore = "measures the memory of its process; another test runs it alone"]
fn endless_links_to_elsewhere() {
    let policy = CrawlPolicy {
        seed_url: Some("https://example.com/".to_owned()),
        respect_robots_txt: false,
        ..CrawlPolicy::default()
    };
    let mut frontier = Frontier::of_policy(&policy, NOON).unwrap();
    let peak = Peak::since_now();
    for nth in 0..1_000 * LINKS_OF_A_PAGE {
        frontier.offer(&PageUrl::parse(&format!("https://{nth}.example/")).unwrap(), Via::Link, 1);
    }
    let grown = peak.bytes();
    println!("links to elsewhere: {} KB", grown / 1024);
    assert!(grown < 50 << 20, "{grown}");
    assert_eq!(frontier.tally().excluded_in_all(), 1_000 * LINKS_OF_A_PAGE);
    let own = PageUrl::parse("https://example.com/a").unwrap();
    assert_eq!(frontier.offer(&own, Via::Link, 1), Offered::Queued);
}
