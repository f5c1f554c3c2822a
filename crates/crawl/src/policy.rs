//! What the owner of a crawl decides about it.

use std::{fmt::Display, time::Duration};

use omni_domain::{Invalid, Text, required_text};
use serde::{Deserialize, Serialize};

use crate::{glob::Globs, page_url::PageUrl};

/// The most pages that can be listed one by one.
pub const MAX_MANUAL_URLS: usize = 1_000;

/// How a web site is visited, as somebody writes it down. [`CrawlPolicy::check`] says whether it holds together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CrawlPolicy {
    /// The page to begin with; the crawl stays on its host.
    pub seed_url: Option<String>,
    /// A sitemap whose pages are visited. Without a seed the crawl stays on its host.
    pub sitemap_url: Option<String>,
    /// Single pages, of any host, at most [`MAX_MANUAL_URLS`].
    pub manual_urls: Vec<String>,
    /// How many links lead from the pages above to the farthest one: 0 to 5. Default: 2.
    pub max_depth: u8,
    /// If there are any, only what matches one of them is visited. `/docs/**` is all below `/docs`; `**` crosses slashes
    /// and `*` does not. They are matched against the path and query. The seed and the single pages are exempt.
    pub include_globs: Vec<String>,
    /// What matches one of them is not visited. Written and exempt as above.
    pub exclude_globs: Vec<String>,
    /// The most requests per second to one server: over 0, at most 10. Default: 1.
    pub rate_limit_rps: f64,
    /// After how many hours a page is visited again: 1 to 720, or 0 for never. Default: 168, a week.
    pub refresh_interval_hours: u16,
    /// Whether `robots.txt` is obeyed. Default: yes.
    pub respect_robots_txt: bool,
    /// The most pages of one crawl: 1 to 10 000. Default: 1 000.
    pub max_pages: u32,
    /// Which part of a page is its content, as a CSS selector. Here it is only text.
    pub content_selector: Option<String>,
}

impl Default for CrawlPolicy {
    fn default() -> Self {
        Self {
            seed_url: None,
            sitemap_url: None,
            manual_urls: Vec::new(),
            max_depth: 2,
            include_globs: Vec::new(),
            exclude_globs: Vec::new(),
            rate_limit_rps: 1.0,
            refresh_interval_hours: 168,
            respect_robots_txt: true,
            max_pages: 1_000,
            content_selector: None,
        }
    }
}

/// The parts of a policy that are read once.
pub(crate) struct Checked {
    pub(crate) seed: Option<PageUrl>,
    pub(crate) sitemap: Option<PageUrl>,
    pub(crate) manual: Vec<PageUrl>,
    pub(crate) include: Globs,
    pub(crate) exclude: Globs,
}

impl CrawlPolicy {
    /// Whether every field is within its limits.
    ///
    /// # Errors
    /// An [`Invalid`] that names the first field that is not.
    pub fn check(&self) -> Result<(), Invalid> {
        self.read().map(drop)
    }

    pub(crate) fn read(&self) -> Result<Checked, Invalid> {
        let seed = url("seed_url", self.seed_url.as_deref())?;
        let sitemap = url("sitemap_url", self.sitemap_url.as_deref())?;
        let manual = self.read_manual()?;
        if seed.is_none() && sitemap.is_none() && manual.is_empty() {
            return Err(Invalid::new("seed_url", "give a seed_url, a sitemap_url or manual_urls"));
        }
        within("max_depth", self.max_depth, 0, 5)?;
        within("refresh_interval_hours", self.refresh_interval_hours, 0, 720)?;
        within("max_pages", self.max_pages, 1, 10_000)?;
        if !(self.rate_limit_rps > 0.0 && self.rate_limit_rps <= 10.0) {
            return Err(Invalid::new("rate_limit_rps", "must be over 0 and at most 10"));
        }
        if let Some(selector) = &self.content_selector {
            required_text("content_selector", selector, Text::Name)?;
        }
        let include = Globs::parse("include_globs", &self.include_globs)?;
        let exclude = Globs::parse("exclude_globs", &self.exclude_globs)?;
        Ok(Checked { seed, sitemap, manual, include, exclude })
    }

    fn read_manual(&self) -> Result<Vec<PageUrl>, Invalid> {
        let field = "manual_urls";
        if self.manual_urls.len() > MAX_MANUAL_URLS {
            return Err(Invalid::new(field, format!("must have at most {MAX_MANUAL_URLS} URLs")));
        }
        let read = |(nth, written): (usize, &String)| {
            PageUrl::parse(written).map_err(|error| Invalid::new(field, format!("number {}: {error}", nth + 1)))
        };
        self.manual_urls.iter().enumerate().map(read).collect()
    }

    /// The pause between the beginnings of two requests that [`CrawlPolicy::rate_limit_rps`] means. A rate out of its
    /// limits means a pause of a second.
    #[must_use]
    pub fn pause(&self) -> Duration {
        const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);
        if self.rate_limit_rps > 0.0 {
            return Duration::try_from_secs_f64(1.0 / self.rate_limit_rps).unwrap_or(LONGEST).min(LONGEST);
        }
        Duration::from_secs(1)
    }

    /// After what time a page is visited again; `None` for never.
    #[must_use]
    pub fn refresh(&self) -> Option<Duration> {
        let hours = u64::from(self.refresh_interval_hours);
        (hours > 0).then(|| Duration::from_secs(hours * 60 * 60))
    }
}

fn url(field: &'static str, written: Option<&str>) -> Result<Option<PageUrl>, Invalid> {
    written.map(|written| PageUrl::parse(written).map_err(|error| Invalid::new(field, error.to_string()))).transpose()
}

fn within<T: Copy + PartialOrd + Display>(field: &'static str, value: T, least: T, most: T) -> Result<(), Invalid> {
    if value < least || value > most {
        return Err(Invalid::new(field, format!("must be between {least} and {most}")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::CrawlPolicy;

    fn of(json: &str) -> CrawlPolicy {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn a_seed_is_enough_and_the_rest_has_defaults() {
        let policy = of(r#"{"seed_url": "https://example.com"}"#);
        policy.check().unwrap();
        insta::assert_json_snapshot!(policy, @r#"
        {
          "seed_url": "https://example.com",
          "sitemap_url": null,
          "manual_urls": [],
          "max_depth": 2,
          "include_globs": [],
          "exclude_globs": [],
          "rate_limit_rps": 1.0,
          "refresh_interval_hours": 168,
          "respect_robots_txt": true,
          "max_pages": 1000,
          "content_selector": null
        }
        "#);
        for other in [r#"{"sitemap_url": "https://a.example/s.xml"}"#, r#"{"manual_urls": ["https://a.example"]}"#] {
            of(other).check().unwrap();
        }
    }

    #[test]
    fn what_is_out_of_its_limits_is_named() {
        for (json, field, problem) in [
            (r"{}", "seed_url", "give a seed_url"),
            (r#"{"seed_url": "example.com"}"#, "seed_url", "in full"),
            (r#"{"seed_url": "ftp://example.com"}"#, "seed_url", "neither http nor https"),
            (r#"{"sitemap_url": "/sitemap.xml"}"#, "sitemap_url", "in full"),
            (r#"{"manual_urls": ["https://a.example", "x"]}"#, "manual_urls", "number 2"),
            (r#"{"max_depth": 6}"#, "max_depth", "between 0 and 5"),
            (r#"{"refresh_interval_hours": 721}"#, "refresh_interval_hours", "between 0 and 720"),
            (r#"{"max_pages": 0}"#, "max_pages", "between 1 and 10000"),
            (r#"{"max_pages": 10001}"#, "max_pages", "between 1 and 10000"),
            (r#"{"rate_limit_rps": 0}"#, "rate_limit_rps", "over 0"),
            (r#"{"rate_limit_rps": -1}"#, "rate_limit_rps", "over 0"),
            (r#"{"rate_limit_rps": 10.5}"#, "rate_limit_rps", "at most 10"),
            (r#"{"include_globs": ["docs"]}"#, "include_globs", "begin with"),
            (r#"{"exclude_globs": ["/{a}"]}"#, "exclude_globs", "braces"),
            (r#"{"content_selector": " "}"#, "content_selector", "empty"),
        ] {
            let mut policy = of(json);
            if !matches!(field, "seed_url" | "sitemap_url") {
                policy.seed_url = Some("https://example.com".to_owned());
            }
            let error = policy.check().unwrap_err();
            assert_eq!(error.field, field, "{json}");
            assert!(error.problem.contains(problem), "{error}");
        }
        let many = vec!["https://example.com".to_owned(); 1_001];
        assert_eq!(CrawlPolicy { manual_urls: many, ..of("{}") }.check().unwrap_err().field, "manual_urls");
        assert!(serde_json::from_str::<CrawlPolicy>(r#"{"seed": "https://example.com"}"#).is_err());
        let endless = CrawlPolicy { rate_limit_rps: f64::NAN, ..of(r#"{"seed_url": "https://example.com"}"#) };
        assert_eq!(endless.check().unwrap_err().field, "rate_limit_rps");
    }

    #[test]
    fn a_rate_is_a_pause() {
        for (rate, seconds) in [(1.0, 1.0), (10.0, 0.1), (0.5, 2.0), (f64::NAN, 1.0), (-1.0, 1.0), (1e-300, 86_400.0)] {
            let policy = CrawlPolicy { rate_limit_rps: rate, ..CrawlPolicy::default() };
            assert_eq!(policy.pause(), Duration::from_secs_f64(seconds), "{rate}");
        }
    }
}
