//! Which page comes next.

mod known;
mod step;
mod tally;

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use omni_domain::{Invalid, Timestamp};

use crate::{
    fetch::Fetched,
    origin::Origin,
    page_url::PageUrl,
    policy::CrawlPolicy,
    robots::Robots,
    scope::{Refusal, Scope, Via},
};
use known::{Found, Known, Rank};
pub use known::{MAX_KNOWN, MAX_KNOWN_BYTES};
pub use step::{Budget, Offered, Recorded, Step, Stop, Visit};
pub use tally::Tally;

/// The order of one crawl, without any I/O: pages are offered, visits come out, outcomes are recorded.
///
/// Listed pages come first, then the seed, then what sitemaps list, then what pages link to, nearest first. Each page is
/// visited once. Whatever a site offers, at most [`MAX_KNOWN`] pages with [`MAX_KNOWN_BYTES`] of URLs are kept in memory;
/// the rest is counted.
#[derive(Debug)]
pub struct Frontier {
    scope: Arc<Scope>,
    budget: Budget,
    /// When the time is over.
    end: Timestamp,
    robots: HashMap<Origin, Arc<Robots>>,
    known: Known,
    under_way: HashSet<PageUrl>,
    visits: u32,
    bytes: u64,
    tally: Tally,
}

impl Frontier {
    /// The crawl of a policy, beginning `now` with its listed pages and its seed, within the default budget of bytes and
    /// time. Its sitemap is for the caller to fetch; what it lists is offered then.
    ///
    /// # Errors
    /// As [`CrawlPolicy::check`].
    pub fn of_policy(policy: &CrawlPolicy, now: Timestamp) -> Result<Self, Invalid> {
        let mut checked = policy.read()?;
        let (manual, seed) = (std::mem::take(&mut checked.manual), checked.seed.clone());
        let scope = Arc::new(Scope::of(policy, checked));
        let mut frontier = Self::new(scope, Budget { pages: policy.max_pages, ..Budget::default() }, now);
        for page in &manual {
            frontier.offer(page, Via::Manual, 0);
        }
        if let Some(seed) = &seed {
            frontier.offer(seed, Via::Seed, 0);
        }
        Ok(frontier)
    }

    /// A crawl that begins `now` and knows no page yet.
    #[must_use]
    pub fn new(scope: Arc<Scope>, budget: Budget, now: Timestamp) -> Self {
        Self {
            scope,
            budget,
            end: now.checked_add(time_of(budget.time)).unwrap_or(now),
            robots: HashMap::new(),
            known: Known::default(),
            under_way: HashSet::new(),
            visits: 0,
            bytes: 0,
            tally: Tally::default(),
        }
    }

    /// Offers a page that was found `via` something, `depth` links away from where the crawl began.
    pub fn offer(&mut self, url: &PageUrl, via: Via, depth: u8) -> Offered {
        let rank = Rank { via, depth };
        if let Some(found) = self.known.improve(url, rank) {
            return match found {
                Found::Better => Offered::Upgraded,
                Found::NoBetter => Offered::Known,
            };
        }
        let robots = self.robots.get(&url.origin()).map(Arc::as_ref);
        if let Err(reason) = self.scope.decide(url, via, depth, robots) {
            if self.known.refuse(url, reason) {
                self.tally.exclude(reason);
            }
            return Offered::Refused(reason);
        }
        if !self.known.add(url, rank) {
            self.tally.not_kept += 1;
            return Offered::NotKept;
        }
        if let Some(reason) = self.known.forgive(url) {
            self.tally.readmit(reason);
        }
        self.tally.discovered += 1;
        Offered::Queued
    }

    /// Takes note of a page that belongs to the crawl and is not due: finding it again leads to no visit.
    pub fn pass_over(&mut self, url: &PageUrl) {
        self.known.arrive(url);
    }

    /// Takes note of what an origin wishes.
    pub fn learn(&mut self, origin: Origin, robots: Arc<Robots>) {
        self.robots.insert(origin, robots);
    }

    /// What to do next, at the moment `now`.
    pub fn next(&mut self, now: Timestamp) -> Step {
        while let Some((url, rank)) = self.known.first() {
            if let Some(stop) = self.spent(now) {
                return Step::Done(stop);
            }
            if self.scope.respects_robots() {
                match self.robots.get(&url.origin()) {
                    None => return Step::LearnRobots(url.origin()),
                    Some(robots) if !robots.allows(&url) => {
                        self.known.take_first();
                        self.tally.withdraw(Refusal::Robots);
                        continue;
                    }
                    Some(_) => {}
                }
            }
            self.known.take_first();
            self.visits += 1;
            self.under_way.insert(url.clone());
            return Step::Visit(Visit { url, via: rank.via, depth: rank.depth });
        }
        if self.under_way.is_empty() { Step::Done(Stop::Complete) } else { Step::Wait }
    }

    fn spent(&self, now: Timestamp) -> Option<Stop> {
        if now >= self.end {
            Some(Stop::Time)
        } else if self.visits >= self.budget.pages {
            Some(Stop::Pages)
        } else if self.bytes >= self.budget.bytes {
            Some(Stop::Bytes)
        } else {
            None
        }
    }

    /// Takes note of what came of a visit. Its links are offered separately, before or after.
    pub fn record(&mut self, url: &PageUrl, outcome: &Fetched) -> Recorded {
        if !self.under_way.remove(url) {
            return Recorded::Unasked;
        }
        if let Fetched::Page(page) = outcome {
            self.bytes = self.bytes.saturating_add(u64::try_from(page.bytes.len()).unwrap_or(u64::MAX));
            if page.final_url != *url && !self.known.arrive(&page.final_url) {
                self.tally.skipped += 1;
                return Recorded::Duplicate;
            }
        }
        self.tally.count(outcome);
        Recorded::Counted
    }

    /// How long the budget of time lasts from `now` on: no wait should be longer.
    #[must_use]
    pub fn time_left(&self, now: Timestamp) -> Duration {
        (self.end - now).try_into().unwrap_or_default()
    }

    /// The counts so far.
    #[must_use]
    pub const fn tally(&self) -> &Tally {
        &self.tally
    }

    /// How many visits were handed out, and how many bytes came of them.
    #[must_use]
    pub const fn spending(&self) -> (u32, u64) {
        (self.visits, self.bytes)
    }
}

fn time_of(duration: Duration) -> time::Duration {
    time::Duration::try_from(duration).unwrap_or(time::Duration::MAX)
}
