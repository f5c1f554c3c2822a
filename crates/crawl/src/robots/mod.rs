//! What a server asks crawlers to leave alone, as RFC 9309 has it.
//!
//! Rules are compared as text. A library that makes a regular expression of each would need hundreds of megabytes for a
//! file of 500 KB, which any server can send; the tests compare this one with such a library.

mod file;
mod rule;

use std::time::Duration;

use crate::page_url::PageUrl;
pub(crate) use file::is_product_letter;
use rule::Rule;

/// As much of a `robots.txt` as is read, in bytes (RFC 9309, 2.5).
pub const MAX_ROBOTS_BYTES: usize = 500 * 1024;
/// The longest pause between two requests that a server can ask for; a longer one is shortened to it.
pub const MAX_CRAWL_DELAY: Duration = Duration::from_secs(30);
/// The most rules for one crawler. A file with more of them forbids everything: obeying a part would be trespassing.
const MAX_RULES: usize = 5_000;
/// The most wildcards of those rules together, with the same effect: each is a search through every URL.
const MAX_WILDCARDS: usize = 10_000;
/// The most sitemaps taken from one file.
const MAX_SITEMAPS: usize = 50;

/// The wishes of one server for one crawler.
#[derive(Debug, Clone)]
pub struct Robots {
    /// The most specific first, and of two equally specific ones the one that allows.
    rules: Vec<Rule>,
    crawl_delay: Option<Duration>,
    sitemaps: Vec<PageUrl>,
    unreachable: bool,
}

impl Robots {
    /// For a server that has no such file.
    #[must_use]
    pub const fn everything() -> Self {
        Self { rules: Vec::new(), crawl_delay: None, sitemaps: Vec::new(), unreachable: false }
    }

    /// For a server that cannot be asked: nothing is allowed until it can.
    #[must_use]
    pub fn unreachable() -> Self {
        Self { rules: vec![Rule::forbidding_everything()], unreachable: true, ..Self::everything() }
    }

    /// Reads the first [`MAX_ROBOTS_BYTES`] of a file for the crawler with the product token `agent`, such as `OmniBot`.
    /// What is not understood is skipped.
    #[must_use]
    pub fn parse(agent: &str, file: &[u8]) -> Self {
        let file::ForAgent { mut rules, crawl_delay, sitemaps } = file::read(agent, file);
        let wildcards: usize = rules.iter().map(Rule::wildcards).sum();
        if rules.len() > MAX_RULES || wildcards > MAX_WILDCARDS {
            rules = vec![Rule::forbidding_everything()];
        }
        rules.sort_by_key(Rule::precedence);
        Self { rules, crawl_delay, sitemaps, unreachable: false }
    }

    /// Whether the page may be asked for.
    #[must_use]
    pub fn allows(&self, page: &PageUrl) -> bool {
        if self.rules.is_empty() {
            return true;
        }
        let path = rule::normal(&page.address()[url::Position::BeforePath..]);
        path == "/robots.txt" || self.rules.iter().find(|rule| rule.matches(&path)).is_none_or(|rule| rule.allows)
    }

    /// The pause between requests that the server asks for, at most [`MAX_CRAWL_DELAY`].
    #[must_use]
    pub const fn crawl_delay(&self) -> Option<Duration> {
        self.crawl_delay
    }

    /// Whether the server could not be asked. Its pages are left alone as if it had forbidden them, but that is no reason
    /// to forget what they said.
    #[must_use]
    pub const fn is_unreachable(&self) -> bool {
        self.unreachable
    }

    /// The sitemaps that the file names, in its order.
    #[must_use]
    pub fn sitemaps(&self) -> &[PageUrl] {
        &self.sitemaps
    }
}
