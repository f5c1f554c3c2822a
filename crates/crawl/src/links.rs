//! From links as a page writes them to pages.

use std::collections::HashSet;

use url::Url;

use crate::page_url::PageUrl;

/// The most pages that one page may lead to; the links after them are not read. A page of 5 MB can hold a million.
pub const MAX_LINKS: usize = 10_000;

/// The pages that `links` lead to, each once, in the order of the page.
///
/// `base` is the URL that answered ([`Page::final_url`](crate::Page::final_url)), `base_href` what the page's `<base>`
/// says, and the links are as the page writes them. What leads to no web page (`mailto:`, `javascript:`, an anchor of
/// the page itself, nonsense) is left out. At most [`MAX_LINKS`] are given.
#[must_use]
pub fn resolve_links<T: AsRef<str>>(
    base: &PageUrl,
    base_href: Option<&str>,
    links: impl IntoIterator<Item = T>,
) -> Vec<PageUrl> {
    let of_the_page = base_href.and_then(|href| resolve(base.address(), href)).filter(Url::has_host);
    let base = of_the_page.unwrap_or_else(|| base.address().clone());
    let mut seen = HashSet::new();
    links
        .into_iter()
        .filter_map(|link| lead(&base, link.as_ref()))
        .filter(|page| seen.insert(page.clone()))
        .take(MAX_LINKS)
        .collect()
}

fn lead(base: &Url, link: &str) -> Option<PageUrl> {
    // An anchor leads to the page that it is on, whatever its base says.
    if link.trim_start().starts_with('#') {
        return None;
    }
    PageUrl::from_url(resolve(base, link)?).ok()
}

fn resolve(base: &Url, link: &str) -> Option<Url> {
    /// A link may be longer than the page's URL may be, for tracking parameters and the like.
    const LONGEST: usize = 4 * crate::page_url::MAX_URL_LEN;
    (link.len() <= LONGEST).then(|| base.join(link).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::{MAX_LINKS, resolve_links};
    use crate::page_url::PageUrl;

    fn resolve(base: &str, base_href: Option<&str>, links: &[&str]) -> Vec<String> {
        let base = PageUrl::parse(base).unwrap();
        resolve_links(&base, base_href, links).iter().map(|page| page.address().to_string()).collect()
    }

    #[test]
    fn a_link_is_relative_to_the_directory_of_its_page() {
        let links = ["intro", "../about/", "/top", "?page=2", "//cdn.example.net/x", "https://other.example"];
        let expected = |directory: &str, parent: &str, page: &str| {
            [
                format!("https://example.com{directory}intro"),
                format!("https://example.com{parent}about/"),
                "https://example.com/top".to_owned(),
                format!("https://example.com{page}?page=2"),
                "https://cdn.example.net/x".to_owned(),
                "https://other.example/".to_owned(),
            ]
        };
        assert_eq!(resolve("https://example.com/a/docs/", None, &links), expected("/a/docs/", "/a/", "/a/docs/"));
        assert_eq!(resolve("https://example.com/a/docs", None, &links), expected("/a/", "/", "/a/docs"));
    }

    #[test]
    fn the_base_of_the_page_comes_first_and_is_itself_relative() {
        assert_eq!(resolve("https://a.example/x/y", Some("/z/"), &["1"]), ["https://a.example/z/1"]);
        assert_eq!(resolve("https://a.example/x/y", Some("https://b.example/z"), &["1"]), ["https://b.example/1"]);
        assert_eq!(resolve("https://a.example/x/y", Some("http://"), &["1"]), ["https://a.example/x/1"]);
        assert_eq!(resolve("https://a.example/x/y", Some("data:text/html,x"), &["1"]), ["https://a.example/x/1"]);
    }

    #[test]
    fn what_leads_to_no_page_is_left_out_and_the_rest_is_there_once() {
        let long = format!("/{}", "x".repeat(3_000));
        let links =
            ["mailto:a@b.c", "javascript:void(0)", "tel:1", "#top", " #top", "http://", "/b#1", "/b/", "/b?utm_id=1"];
        assert_eq!(resolve("https://example.com/a", None, &links), ["https://example.com/b"]);
        assert_eq!(resolve("https://example.com/a", None, &[&long]), [""; 0]);
    }

    #[test]
    fn a_page_of_a_million_links_gives_no_more_than_the_limit() {
        let base = PageUrl::parse("https://example.com/").unwrap();
        let links = (0..1_000_000).map(|nth| format!("/trap/{nth}"));
        assert_eq!(resolve_links(&base, None, links).len(), MAX_LINKS);
    }
}
