//! What a visit of a page comes to.

use std::time::Duration;

use omni_crawl::{FetchFailure, Fetched, History, NextVisit, Outcome, Validators, next_visit};
use omni_domain::{DomainUrl, Timestamp, UrlStatus};
use omni_persistence::PageVisit;

use super::outcome;

/// What is to be noted of a page after a visit.
pub(super) struct Verdict {
    status: UrlStatus,
    reason: Option<String>,
    outcome: Outcome,
    /// The hash of its text and what its server gave along, if the page arrived.
    given: Option<(Vec<u8>, Validators)>,
}

impl Verdict {
    /// Of an answer that is no page. `left_alone` says that it is none because another server could not be asked.
    pub(super) fn of(fetched: &Fetched, left_alone: bool) -> Self {
        let reason = match fetched {
            Fetched::Page(_) | Fetched::NotModified | Fetched::Gone => None,
            Fetched::Refused { status } => Some(format!("the server answered with status {status}")),
            Fetched::RedirectedOut { to: Some(to), reason } => Some(format!("redirects to {to}: {reason}")),
            Fetched::RedirectedOut { to: None, reason } => Some(format!("redirects elsewhere: {reason}")),
            Fetched::Failed { reason, .. } => Some(reason.to_string()),
            Fetched::Unsupported { media_type } => Some(format!("is of the type {media_type}, which is not read")),
            Fetched::TooLarge => Some("is larger than the crawler takes".to_owned()),
            _ => Some("was answered in a way that is not known".to_owned()),
        };
        let status = match fetched {
            Fetched::Page(_) => UrlStatus::Indexed,
            Fetched::NotModified => UrlStatus::Unchanged,
            Fetched::Gone => UrlStatus::Removed,
            Fetched::RedirectedOut { .. } if left_alone => UrlStatus::Failed,
            Fetched::RedirectedOut { .. } | Fetched::Unsupported { .. } | Fetched::TooLarge => UrlStatus::Excluded,
            _ => UrlStatus::Failed,
        };
        let outcome = match fetched {
            Fetched::Failed { reason: FetchFailure::Throttled(_) | FetchFailure::Postponed, .. } => Outcome::Postponed,
            _ => outcome(status),
        };
        Self { status, reason, outcome, given: None }
    }

    /// The page arrived, with a text of this hash.
    pub(super) fn given(is_new: bool, hash: Vec<u8>, validators: Validators) -> Self {
        let status = if is_new { UrlStatus::Indexed } else { UrlStatus::Unchanged };
        Self { status, reason: None, outcome: outcome(status), given: Some((hash, validators)) }
    }

    /// The page holds nothing for the domain.
    pub(super) fn excluded(reason: String) -> Self {
        Self { status: UrlStatus::Excluded, reason: Some(reason), outcome: Outcome::Unchanged, given: None }
    }

    /// The page arrived and could not be read.
    pub(super) fn failed(reason: String) -> Self {
        Self { status: UrlStatus::Failed, reason: Some(reason), outcome: Outcome::Failed, given: None }
    }

    /// What is noted of the page that was `row`.
    pub(super) fn note(self, row: &DomainUrl, at: Timestamp, refresh: Option<Duration>) -> PageVisit {
        let history = History { consecutive_failures: row.failures, consecutive_unchanged: row.unchanged };
        let (next, history) = next_visit(at, self.outcome, history, refresh);
        let next_visit = match next {
            NextVisit::At(moment) => Some(moment),
            NextVisit::Never | NextVisit::GivenUp => None,
        };
        let is_kept = matches!(self.status, UrlStatus::Unchanged | UrlStatus::Failed);
        let (content_hash, validators) = match self.given {
            Some((hash, validators)) => (Some(hash), validators),
            None if is_kept => {
                let validators = Validators { etag: row.etag.clone(), last_modified: row.last_modified.clone() };
                (row.content_hash.clone(), validators)
            }
            None => (None, Validators::default()),
        };
        PageVisit {
            status: self.status,
            reason: self.reason,
            etag: validators.etag,
            last_modified: validators.last_modified,
            content_hash,
            unchanged: history.consecutive_unchanged,
            failures: history.consecutive_failures,
            at,
            next_visit,
        }
    }
}
