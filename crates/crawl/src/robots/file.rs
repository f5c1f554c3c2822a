//! Reading a `robots.txt`.

use std::time::Duration;

use super::{MAX_CRAWL_DELAY, MAX_ROBOTS_BYTES, MAX_RULES, MAX_SITEMAPS, rule::Rule};
use crate::page_url::PageUrl;

/// What a file says to one crawler.
#[derive(Default)]
pub(super) struct ForAgent {
    pub(super) rules: Vec<Rule>,
    pub(super) crawl_delay: Option<Duration>,
    pub(super) sitemaps: Vec<PageUrl>,
}

/// What the lines of a group mean to us.
#[derive(Default)]
struct Group {
    named: bool,
    rules: Vec<Rule>,
    crawl_delay: Option<Duration>,
}

/// Whom the group that is being read is for.
#[derive(Default, Clone, Copy)]
struct Audience {
    us: bool,
    everybody: bool,
    /// Whether a line after the last `User-agent` has been read, so that the next one begins a group.
    complete: bool,
}

/// Reads what a file says to `agent`. All groups for the agent count together; those for everybody count only if there is
/// none for the agent (RFC 9309, 2.2.1).
pub(super) fn read(agent: &str, file: &[u8]) -> ForAgent {
    let (mut us, mut everybody, mut sitemaps) = (Group::default(), Group::default(), Vec::new());
    let mut audience = Audience::default();
    let text = String::from_utf8_lossy(whole_lines(file));
    for (key, value) in text.trim_start_matches('\u{feff}').split(['\n', '\r']).filter_map(key_and_value) {
        if key.eq_ignore_ascii_case("user-agent") {
            audience = audience.joined_by(value, agent);
            us.named |= audience.us;
            continue;
        }
        if key.eq_ignore_ascii_case("sitemap") {
            // Stands for itself wherever it is, and ends no group.
            if sitemaps.len() < MAX_SITEMAPS
                && let Ok(sitemap) = PageUrl::parse(value)
            {
                sitemaps.push(sitemap);
            }
            continue;
        }
        audience.complete = true;
        if audience.us {
            us.add(key, value);
        }
        if audience.everybody {
            everybody.add(key, value);
        }
    }
    let Group { rules, crawl_delay, .. } = if us.named { us } else { everybody };
    ForAgent { rules, crawl_delay, sitemaps }
}

/// The part of the file that is read; a line that the limit cuts in two is not half a rule.
fn whole_lines(file: &[u8]) -> &[u8] {
    let Some(read) = file.get(..MAX_ROBOTS_BYTES) else { return file };
    let end = read.iter().rposition(|&byte| byte == b'\n' || byte == b'\r').unwrap_or(0);
    read.get(..end).unwrap_or_default()
}

fn key_and_value(line: &str) -> Option<(&str, &str)> {
    let line = line.split_once('#').map_or(line, |(line, _)| line);
    let (key, value) = line.split_once(':')?;
    Some((key.trim(), value.trim()))
}

impl Audience {
    fn joined_by(self, value: &str, agent: &str) -> Self {
        let before = if self.complete { Self::default() } else { self };
        // "OmniBot/1.0" is for the product OmniBot.
        let product = value.split(|letter: char| !is_product_letter(letter)).next().unwrap_or_default();
        Self {
            us: before.us || product.eq_ignore_ascii_case(agent),
            everybody: before.everybody || value.starts_with('*'),
            complete: false,
        }
    }
}

/// The letters of a product token (RFC 9309, 2.2.1).
pub(crate) fn is_product_letter(letter: char) -> bool {
    letter.is_ascii_alphabetic() || matches!(letter, '-' | '_')
}

impl Group {
    fn add(&mut self, key: &str, value: &str) {
        let allows = key.eq_ignore_ascii_case("allow");
        if allows || key.eq_ignore_ascii_case("disallow") {
            // One more than permitted shows that there were too many.
            if self.rules.len() <= MAX_RULES {
                self.rules.extend(Rule::read(allows, value));
            }
        } else if key.eq_ignore_ascii_case("crawl-delay") && self.crawl_delay.is_none() {
            self.crawl_delay = pause(value);
        }
    }
}

fn pause(seconds: &str) -> Option<Duration> {
    let seconds: f64 = seconds.parse().ok().filter(|seconds: &f64| *seconds >= 0.0)?;
    Duration::try_from_secs_f64(seconds.min(MAX_CRAWL_DELAY.as_secs_f64())).ok()
}
