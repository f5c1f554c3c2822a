//! Which pages belong to a crawl.

use std::fmt;

use omni_domain::Invalid;
use serde::{Deserialize, Serialize};

use crate::{
    error::CrawlError,
    glob::Globs,
    page_url::PageUrl,
    policy::{Checked, CrawlPolicy},
    robots::Robots,
};

/// How a page became known, the best way first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Via {
    /// Somebody listed it.
    Manual,
    /// The crawl begins with it.
    Seed,
    /// A sitemap lists it.
    Sitemap,
    /// Another page links to it.
    Link,
}

/// Why a page is not visited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Refusal {
    /// It is on another host, or at another port of the host.
    OtherHost,
    /// It matches one of [`CrawlPolicy::exclude_globs`].
    ExcludedByGlob,
    /// It matches none of [`CrawlPolicy::include_globs`].
    NotIncluded,
    /// The server's `robots.txt` forbids it.
    Robots,
    /// More links than [`CrawlPolicy::max_depth`] lead to it.
    TooDeep,
    /// It is not the URL of a web page.
    NotHttp,
    /// Its URL is longer than [`MAX_URL_LEN`](crate::MAX_URL_LEN).
    TooLong,
}

impl Refusal {
    /// Its name for programs, in snake case.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OtherHost => "other_host",
            Self::ExcludedByGlob => "excluded_by_glob",
            Self::NotIncluded => "not_included",
            Self::Robots => "robots",
            Self::TooDeep => "too_deep",
            Self::NotHttp => "not_http",
            Self::TooLong => "too_long",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl From<CrawlError> for Refusal {
    fn from(error: CrawlError) -> Self {
        if error == CrawlError::UrlTooLong { Self::TooLong } else { Self::NotHttp }
    }
}

/// Whether a page is visited, or why not.
pub type Decision = Result<(), Refusal>;

/// The part of the web that one policy covers.
///
/// Its host is the seed's, or else the sitemap's, with and without `www.` and by http and https alike. A policy that only
/// lists pages has no host: it covers those pages and follows no link. Listed pages may be anywhere, and neither they nor
/// the seed need to match the globs, since somebody wrote down exactly these.
#[derive(Debug, Clone)]
pub struct Scope {
    site: Option<Site>,
    include: Globs,
    exclude: Globs,
    max_depth: u8,
    respects_robots: bool,
}

impl Scope {
    /// Reads a policy.
    ///
    /// # Errors
    /// As [`CrawlPolicy::check`].
    pub fn new(policy: &CrawlPolicy) -> Result<Self, Invalid> {
        let checked = policy.read()?;
        Ok(Self::of(policy, checked))
    }

    pub(crate) fn of(policy: &CrawlPolicy, checked: Checked) -> Self {
        Self {
            site: checked.seed.as_ref().or(checked.sitemap.as_ref()).map(Site::of),
            include: checked.include,
            exclude: checked.exclude,
            max_depth: policy.max_depth,
            respects_robots: policy.respect_robots_txt,
        }
    }

    /// Decides about a URL as it is written somewhere. See [`Scope::decide`].
    ///
    /// # Errors
    /// Why it is not visited.
    pub fn admit(&self, written: &str, via: Via, depth: u8, robots: Option<&Robots>) -> Result<PageUrl, Refusal> {
        let page = PageUrl::parse(written)?;
        self.decide(&page, via, depth, robots).map(|()| page)
    }

    /// Decides about a page that became known `via` something, `depth` links away from where the crawl began. `robots`
    /// are those of the page's origin, or `None` as long as they are not known.
    ///
    /// # Errors
    /// Why it is not visited.
    pub fn decide(&self, page: &PageUrl, via: Via, depth: u8, robots: Option<&Robots>) -> Decision {
        if via != Via::Manual && !self.site.as_ref().is_some_and(|site| *site == Site::of(page)) {
            return Err(Refusal::OtherHost);
        }
        if via == Via::Link && depth > self.max_depth {
            return Err(Refusal::TooDeep);
        }
        if matches!(via, Via::Sitemap | Via::Link) {
            self.globs_admit(page)?;
        }
        self.robots_admit(page, robots)
    }

    /// Decides about the page to which the server redirected from one that was in scope. It is on the same host or on the
    /// scope's, and matches the globs unless the first page was exempt from them.
    ///
    /// # Errors
    /// Why its content is not taken.
    pub fn decide_redirect(&self, from: &PageUrl, to: &PageUrl, robots: Option<&Robots>) -> Decision {
        let site = Site::of(to);
        if site != Site::of(from) && self.site.as_ref() != Some(&site) {
            return Err(Refusal::OtherHost);
        }
        if self.globs_admit(from).is_ok() {
            self.globs_admit(to)?;
        }
        self.robots_admit(to, robots)
    }

    /// Whether `robots.txt` is obeyed.
    #[must_use]
    pub const fn respects_robots(&self) -> bool {
        self.respects_robots
    }

    fn globs_admit(&self, page: &PageUrl) -> Decision {
        if self.exclude.matches(page) {
            return Err(Refusal::ExcludedByGlob);
        }
        if !self.include.is_empty() && !self.include.matches(page) {
            return Err(Refusal::NotIncluded);
        }
        Ok(())
    }

    fn robots_admit(&self, page: &PageUrl, robots: Option<&Robots>) -> Decision {
        match robots {
            Some(robots) if self.respects_robots && !robots.allows(page) => Err(Refusal::Robots),
            _ => Ok(()),
        }
    }
}

/// The host that a crawl stays on. A server at a port of its own is a site of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Site {
    host: Box<str>,
    port: Option<u16>,
}

impl Site {
    pub(crate) fn of(page: &PageUrl) -> Self {
        let host = page.host();
        Self { host: host.strip_prefix("www.").unwrap_or(host).into(), port: page.address().port() }
    }
}
