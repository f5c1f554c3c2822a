//! What a crawl is told and what it answers.

use std::time::Duration;

use crate::{
    origin::Origin,
    page_url::PageUrl,
    scope::{Refusal, Via},
};

/// What one crawl may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// The most visits. Default: 1 000.
    pub pages: u32,
    /// The most bytes of all pages together, unpacked; the page that exceeds it is the last one. Default: 500 MB.
    pub bytes: u64,
    /// The longest time from the first visit to the last. Default: 2 hours.
    pub time: Duration,
}

impl Default for Budget {
    fn default() -> Self {
        Self { pages: 1_000, bytes: 500_000_000, time: Duration::from_secs(2 * 60 * 60) }
    }
}

/// Why a crawl is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// Every page that became known was visited.
    Complete,
    /// [`Budget::pages`] is spent, and pages are left.
    Pages,
    /// [`Budget::bytes`] is spent, and pages are left.
    Bytes,
    /// [`Budget::time`] is spent, and pages are left.
    Time,
}

impl Stop {
    /// A stable name for programs.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Pages => "page_budget_spent",
            Self::Bytes => "byte_budget_spent",
            Self::Time => "time_budget_spent",
        }
    }
}

/// What to do next.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// Ask this origin for its wishes and hand them to [`Frontier::learn`]; the next page is on it.
    LearnRobots(Origin),
    /// Visit this page and hand the outcome to [`Frontier::record`].
    Visit(Visit),
    /// Nothing, until a visit that is under way has been recorded: it may lead to more.
    Wait,
    /// The crawl is over. Visits that are under way may still be recorded.
    Done(Stop),
}

/// A page to visit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Visit {
    /// The page.
    pub url: PageUrl,
    /// The best way in which it became known.
    pub via: Via,
    /// How many links lead to it: offer what it links to one deeper.
    pub depth: u8,
}

/// What became of an offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Offered {
    /// It will be visited.
    Queued,
    /// It was going to be visited, and now will be earlier.
    Upgraded,
    /// It was known.
    Known,
    /// It does not belong to the crawl.
    Refused(Refusal),
    /// So many pages are known that it was only counted.
    NotKept,
}

/// What a recorded visit means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recorded {
    /// It counts as what it is.
    Counted,
    /// It led by a redirect to a page that is visited under its own URL; its content is there already.
    Duplicate,
    /// No such visit is under way.
    Unasked,
}
