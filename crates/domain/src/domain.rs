use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::silo::words;
use crate::{
    AppId, Audited, DocumentId, DomainId, DomainUrlId, Facts, Invalid, Job, Patch, SiloId, SiloSettings,
    SiloSettingsPatch, Text, Timestamp, optional_text, required_text,
};

/// A domain: a web site that is visited, whose pages are searched as one silo.
#[derive(Debug, Clone, PartialEq)]
pub struct Domain {
    /// The domain's number.
    pub id: DomainId,
    /// The app that it belongs to.
    pub app: AppId,
    /// The silo that its pages are searched in; it was made and goes with the domain.
    pub silo: SiloId,
    /// What members call it; unique in its app.
    pub name: String,
    /// What it is for; an agent's model reads it, too.
    pub description: Option<String>,
    /// Where the site is.
    pub base_url: String,
    /// How it is visited.
    pub rules: CrawlRules,
    /// How its silo is kept and searched.
    pub settings: SiloSettings,
    /// How many addresses are known of it.
    pub urls: u64,
    /// When it is visited by itself; never if none.
    pub next_crawl: Option<Timestamp>,
    /// The latest visit, if there was one.
    pub last_job: Option<Job>,
    /// When it was made.
    pub created: Timestamp,
    /// When it last changed.
    pub updated: Timestamp,
}

/// How a site is visited, as somebody writes it down. The crawler knows what the fields may hold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct CrawlRules {
    /// The page to begin with.
    pub seed_url: Option<String>,
    /// A sitemap whose pages are visited.
    pub sitemap_url: Option<String>,
    /// Single pages.
    pub manual_urls: Vec<String>,
    /// How many links lead to the farthest page.
    pub max_depth: u8,
    /// If there are any, only what matches one of them is visited.
    pub include_globs: Vec<String>,
    /// What matches one of them is not visited.
    pub exclude_globs: Vec<String>,
    /// The most requests per second.
    pub rate_limit_rps: f64,
    /// After how many hours the site is visited again; 0 for never.
    pub refresh_interval_hours: u16,
    /// Whether `robots.txt` is obeyed.
    pub respect_robots_txt: bool,
    /// The most pages of one visit of the site.
    pub max_pages: u32,
    /// Which part of a page is its content, as a CSS selector.
    pub content_selector: Option<String>,
    /// Whether the site is visited by itself.
    pub is_active: bool,
}

impl Default for CrawlRules {
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
            is_active: true,
        }
    }
}

impl CrawlRules {
    /// When a site that is visited now is visited again by itself.
    #[must_use]
    pub fn next_crawl(&self, now: Timestamp) -> Option<Timestamp> {
        let hours = i64::from(self.refresh_interval_hours);
        (self.is_active && hours > 0).then(|| now.checked_add(time::Duration::hours(hours))).flatten()
    }
}

/// A new domain, checked except for its addresses and for what it refers to.
#[derive(Debug, Clone, PartialEq)]
pub struct DomainDraft {
    /// What members will call it.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// Where the site is.
    pub base_url: String,
    /// How it is visited.
    pub rules: CrawlRulesPatch,
    /// How its silo will be kept and searched.
    pub settings: SiloSettings,
}

impl DomainDraft {
    /// Checks the texts and numbers.
    ///
    /// # Errors
    /// An [`Invalid`] that names the first field that breaks a rule.
    pub fn check(self) -> Result<Self, Invalid> {
        Ok(Self {
            name: required_text("name", &self.name, Text::Name)?,
            description: optional_text("description", self.description.as_deref(), Text::Description)?,
            base_url: required_text("base_url", &self.base_url, Text::Url)?,
            ..self
        })
    }
}

/// A change of the rules by which a site is visited; what is cleared goes back to what is usual.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CrawlRulesPatch {
    /// Another page to begin with.
    pub seed_url: Patch<String>,
    /// Another sitemap.
    pub sitemap_url: Patch<String>,
    /// Other single pages.
    pub manual_urls: Patch<Vec<String>>,
    /// Another depth.
    pub max_depth: Patch<u8>,
    /// Other globs.
    pub include_globs: Patch<Vec<String>>,
    /// Other globs.
    pub exclude_globs: Patch<Vec<String>>,
    /// Another rate.
    pub rate_limit_rps: Patch<f64>,
    /// Another interval.
    pub refresh_interval_hours: Patch<u16>,
    /// Whether `robots.txt` is obeyed.
    pub respect_robots_txt: Patch<bool>,
    /// Another limit.
    pub max_pages: Patch<u32>,
    /// Another selector.
    pub content_selector: Patch<String>,
    /// Whether the site is visited by itself.
    pub is_active: Patch<bool>,
}

impl CrawlRulesPatch {
    /// The rules as they will be.
    #[must_use]
    pub fn over(self, stored: CrawlRules) -> CrawlRules {
        let usual = CrawlRules::default();
        CrawlRules {
            seed_url: self.seed_url.over(stored.seed_url),
            sitemap_url: self.sitemap_url.over(stored.sitemap_url),
            manual_urls: self.manual_urls.over_or(stored.manual_urls, usual.manual_urls),
            max_depth: self.max_depth.over_or(stored.max_depth, usual.max_depth),
            include_globs: self.include_globs.over_or(stored.include_globs, usual.include_globs),
            exclude_globs: self.exclude_globs.over_or(stored.exclude_globs, usual.exclude_globs),
            rate_limit_rps: self.rate_limit_rps.over_or(stored.rate_limit_rps, usual.rate_limit_rps),
            refresh_interval_hours: self
                .refresh_interval_hours
                .over_or(stored.refresh_interval_hours, usual.refresh_interval_hours),
            respect_robots_txt: self.respect_robots_txt.over_or(stored.respect_robots_txt, usual.respect_robots_txt),
            max_pages: self.max_pages.over_or(stored.max_pages, usual.max_pages),
            content_selector: self.content_selector.over(stored.content_selector),
            is_active: self.is_active.over_or(stored.is_active, usual.is_active),
        }
    }
}

/// A change of a domain.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct DomainPatch {
    /// A new name.
    pub name: Patch<String>,
    /// A new description.
    pub description: Patch<String>,
    /// Another address.
    pub base_url: Patch<String>,
    /// Other rules.
    pub rules: CrawlRulesPatch,
    /// Other settings of its silo.
    pub settings: SiloSettingsPatch,
}

impl DomainPatch {
    /// The domain as it will be, except that its addresses and what it refers to are not checked. A seed that was the
    /// site's address moves with it.
    ///
    /// # Errors
    /// An [`Invalid`] that names the first field that breaks a rule.
    pub fn apply(self, stored: Domain) -> Result<Domain, Invalid> {
        let name = self.name.over_required("name", stored.name, Text::Name)?;
        let base_url = self.base_url.over_required("base_url", stored.base_url.clone(), Text::Url)?;
        let mut rules = self.rules.over(stored.rules);
        if rules.seed_url.as_ref() == Some(&stored.base_url) {
            rules.seed_url = Some(base_url.clone());
        }
        Ok(Domain {
            name,
            description: self.description.over_optional("description", stored.description, Text::Description)?,
            base_url,
            rules,
            settings: self.settings.apply(stored.settings)?,
            ..stored
        })
    }
}

impl Audited for Domain {
    const KIND: &'static str = "domain";

    fn number(&self) -> i64 {
        self.id.get()
    }

    fn title(&self) -> &str {
        &self.name
    }

    fn facts(&self) -> Facts {
        Facts::new()
            .with("name", &self.name)
            .with("description", &self.description)
            .with("base_url", &self.base_url)
            .with("policy", &self.rules)
            .with("silo_id", self.silo)
            .and(self.settings.facts())
    }
}

/// A page that is known of a domain, and what came of visiting it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DomainUrl {
    /// The page's number.
    pub id: DomainUrlId,
    /// The domain that it belongs to.
    pub domain: DomainId,
    /// What tells it from other pages: its normalised address.
    pub url: String,
    /// What is requested.
    pub address: String,
    /// How it became known.
    pub via: UrlVia,
    /// How many links lead to it.
    pub depth: u8,
    /// What the last visit came to.
    pub status: UrlStatus,
    /// Why it is so, if that needs saying.
    pub reason: Option<String>,
    /// What its server gave to ask by whether it has changed.
    pub etag: Option<String>,
    /// The same, as a date.
    pub last_modified: Option<String>,
    /// The SHA-256 of its text.
    pub content_hash: Option<Vec<u8>>,
    /// What is searched of it.
    pub document: Option<DocumentId>,
    /// Visits since it last changed.
    pub unchanged: u8,
    /// Failures since it was last given.
    pub failures: u8,
    /// When it was last visited.
    pub last_visit: Option<Timestamp>,
    /// When it is due again; not by itself if none.
    pub next_visit: Option<Timestamp>,
    /// When it became known.
    pub created: Timestamp,
}

impl Audited for DomainUrl {
    const KIND: &'static str = "domain_url";

    fn number(&self) -> i64 {
        self.id.get()
    }

    fn title(&self) -> &str {
        &self.url
    }

    fn facts(&self) -> Facts {
        Facts::new().with("domain_id", self.domain).with("url", &self.url)
    }
}

/// How a page became known, the best way first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum UrlVia {
    /// Somebody listed it.
    Manual,
    /// The visit begins with it.
    Seed,
    /// A sitemap lists it.
    Sitemap,
    /// Another page links to it.
    Link,
}

words!(UrlVia, "way to a page": Manual => "manual", Seed => "seed", Sitemap => "sitemap", Link => "link");

/// What the last visit of a page came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UrlStatus {
    /// It was not visited yet.
    Pending,
    /// Its text was new, and can be found.
    Indexed,
    /// Its text is as it was, and can be found.
    Unchanged,
    /// Its server did not give it. What it said before can be found.
    Failed,
    /// It is gone, and so is what it said.
    Removed,
    /// It is not part of the domain, or holds nothing that could be found.
    Excluded,
}

words!(UrlStatus, "status of a page":
    Pending => "pending", Indexed => "indexed", Unchanged => "unchanged", Failed => "failed", Removed => "removed",
    Excluded => "excluded");
