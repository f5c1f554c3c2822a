//! What a crawl came to, in numbers.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{fetch::Fetched, scope::Refusal};

/// Counts of pages.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Tally {
    /// Found, and part of the crawl.
    pub discovered: u64,
    /// Arrived, new or changed.
    pub indexed: u64,
    /// As they were.
    pub unchanged: u64,
    /// Of a kind or a size that is not taken, redirected elsewhere, or there already under another URL.
    pub skipped: u64,
    /// Gone from the server.
    pub removed: u64,
    /// Not given by the server.
    pub failed: u64,
    /// Found, and not part of the crawl, by reason. A page counts once, or more often if very many are not part of it.
    pub excluded: BTreeMap<Refusal, u64>,
    /// Found when so many were known that they were only counted, each time anew.
    pub not_kept: u64,
}

impl Tally {
    /// All pages that are not part of the crawl.
    #[must_use]
    pub fn excluded_in_all(&self) -> u64 {
        self.excluded.values().sum()
    }

    pub(super) fn exclude(&mut self, reason: Refusal) {
        *self.excluded.entry(reason).or_default() += 1;
    }

    /// For a page that turned out not to belong after it was discovered.
    pub(super) fn withdraw(&mut self, reason: Refusal) {
        self.discovered = self.discovered.saturating_sub(1);
        self.exclude(reason);
    }

    pub(super) fn readmit(&mut self, reason: Refusal) {
        if let Some(count) = self.excluded.get_mut(&reason) {
            *count = count.saturating_sub(1);
        }
    }

    pub(super) fn count(&mut self, outcome: &Fetched) {
        let counter = match outcome {
            Fetched::Page(_) => &mut self.indexed,
            Fetched::NotModified => &mut self.unchanged,
            Fetched::RedirectedOut { .. } | Fetched::Unsupported { .. } | Fetched::TooLarge => &mut self.skipped,
            Fetched::Gone => &mut self.removed,
            Fetched::Refused { .. } | Fetched::Failed { .. } => &mut self.failed,
        };
        *counter += 1;
    }
}
