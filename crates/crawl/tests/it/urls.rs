//! Rules that hold for every URL.

use omni_crawl::{PageUrl, resolve_links};
use proptest::{prelude::*, proptest};
use url::Url;

/// URLs of every shape that a page may hold, and some that none should.
fn written() -> impl Strategy<Value = String> {
    let scheme = "(https?|HTTP|HtTpS)";
    let host = "([a-zA-Z0-9]{1,8}\\.){1,2}[a-z]{2,4}|b\u{fc}cher\\.example|127\\.0\\.0\\.1|\\[::1\\]";
    let port = "(:80|:443|:8080|:)?";
    let path = "(/|//|/\\.|/\\.\\.|/%2e%2E|/[a-zA-Z0-9 %~\u{f6}:@;]{0,5}){0,6}";
    let query = "(\\?(&|[a-c]=[a-z/?]{0,3}|utm_[a-z]{1,3}=x|gclid=1|FBCLID|%75tm_a=1){0,5})?";
    let fragment = "(#[a-z/?#]{0,4})?";
    (scheme, host, port, path, query, fragment).prop_map(|(scheme, host, port, path, query, fragment)| {
        format!("{scheme}://{host}{port}{path}{query}{fragment}")
    })
}

proptest! {
    #[test]
    fn normalising_twice_is_normalising_once(written in written()) {
        let Ok(page) = PageUrl::parse(&written) else { return Ok(()) };
        let again = PageUrl::parse(page.as_str()).unwrap();
        prop_assert_eq!(again.as_str(), page.as_str());
        prop_assert_eq!(again.address().as_str(), page.as_str());
        let address = PageUrl::parse(page.address().as_str()).unwrap();
        prop_assert_eq!(address.address(), page.address());
        prop_assert_eq!(&address, &page);
    }

    #[test]
    fn normalising_never_leaves_the_origin(written in written()) {
        let (Ok(page), Ok(url)) = (PageUrl::parse(&written), Url::parse(&written)) else { return Ok(()) };
        prop_assert_eq!(page.origin().to_string(), url.origin().ascii_serialization());
        prop_assert_eq!(Url::parse(page.as_str()).unwrap().origin(), url.origin());
        prop_assert!(page.path_and_query().starts_with('/'));
    }

    #[test]
    fn the_queries_that_are_kept_are_kept_in_order(query in proptest::collection::vec("[a-z]{1,3}=[a-z]{0,3}", 1..6)) {
        let tracked: Vec<String> = query.iter().flat_map(|kept| ["utm_x=1".to_owned(), kept.clone()]).collect();
        let page = PageUrl::parse(&format!("https://example.com/?{}", tracked.join("&"))).unwrap();
        prop_assert_eq!(page.address().query().map(str::to_owned), Some(query.join("&")));
    }

    #[test]
    fn any_text_is_a_page_or_not(text in any::<String>()) {
        if let Ok(page) = PageUrl::parse(&text) {
            prop_assert!(page.as_str().len() <= omni_crawl::MAX_URL_LEN);
        }
    }

    #[test]
    fn any_links_are_resolved_or_left_out(base in any::<String>(), links in proptest::collection::vec(any::<String>(), 0..8)) {
        let page = PageUrl::parse("https://example.com/a/b").unwrap();
        prop_assert!(resolve_links(&page, Some(&base), &links).len() <= links.len());
    }
}
