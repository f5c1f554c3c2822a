//! When a page is visited again.

use std::time::Duration;

use omni_domain::Timestamp;
use serde::{Deserialize, Serialize};

use crate::fetch::{FetchFailure, Fetched};

/// After so many failures in a row a page is given up.
pub const MAX_FAILURES: u8 = 5;
/// The longest pause after a failure.
const LONGEST_AFTER_FAILURE: Duration = hours(168);
/// The longest pause for a page that never changes.
const LONGEST_UNCHANGED: Duration = hours(720);
/// The count of unchanged visits from which on the pause grows no more.
const MAX_UNCHANGED: u8 = 8;

const fn hours(hours: u64) -> Duration {
    Duration::from_secs(hours * 60 * 60)
}

/// What a visit says about the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The page is new or has changed.
    Changed,
    /// The page is as it was, or is still none that is taken.
    Unchanged,
    /// The page is gone.
    Removed,
    /// The server did not give it.
    Failed,
    /// The server was not asked, or asked for time: that is no fault of the page.
    Postponed,
}

impl Outcome {
    /// What `fetched` says. Of a page that arrived only the caller knows whether its content is another than before;
    /// if it is not, that is [`Outcome::Unchanged`].
    #[must_use]
    pub const fn of(fetched: &Fetched) -> Self {
        match fetched {
            Fetched::Page(_) => Self::Changed,
            Fetched::NotModified | Fetched::RedirectedOut { .. } | Fetched::Unsupported { .. } | Fetched::TooLarge => {
                Self::Unchanged
            }
            Fetched::Gone => Self::Removed,
            Fetched::Failed { reason: FetchFailure::Throttled(_) | FetchFailure::Postponed, .. } => Self::Postponed,
            Fetched::Refused { .. } | Fetched::Failed { .. } => Self::Failed,
        }
    }
}

/// What earlier visits came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct History {
    /// Failures since the page was last given.
    pub consecutive_failures: u8,
    /// Visits since the page last changed.
    pub consecutive_unchanged: u8,
}

/// When a page is visited again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NextVisit {
    /// Not before this moment.
    At(Timestamp),
    /// Not by itself: it is gone, or its crawl does not come back.
    Never,
    /// Not at all: it failed [`MAX_FAILURES`] times in a row.
    GivenUp,
}

/// The next visit after one that came to `outcome` at the moment `now`, and the history with it.
///
/// A page that changed is due after `refresh` (`None`: never); one that did not after `refresh` once more for every such
/// visit in a row, up to eight and to 30 days. The nth failure in a row means a pause of 2ⁿ hours, up to a week, whatever
/// `refresh` is; the fifth is the last. A postponed visit is due in an hour and changes no count.
#[must_use]
pub fn next_visit(
    now: Timestamp,
    outcome: Outcome,
    history: History,
    refresh: Option<Duration>,
) -> (NextVisit, History) {
    match outcome {
        Outcome::Changed => (refreshed(now, refresh, 0), History::default()),
        Outcome::Unchanged => {
            let unchanged = history.consecutive_unchanged.saturating_add(1).min(MAX_UNCHANGED);
            let history = History { consecutive_failures: 0, consecutive_unchanged: unchanged };
            (refreshed(now, refresh, unchanged), history)
        }
        Outcome::Removed => (NextVisit::Never, History::default()),
        Outcome::Failed => {
            let failures = history.consecutive_failures.saturating_add(1);
            let next = if failures >= MAX_FAILURES {
                NextVisit::GivenUp
            } else {
                after(now, hours(1 << failures).min(LONGEST_AFTER_FAILURE))
            };
            (next, History { consecutive_failures: failures, ..history })
        }
        Outcome::Postponed => (after(now, hours(1)), history),
    }
}

fn refreshed(now: Timestamp, refresh: Option<Duration>, unchanged: u8) -> NextVisit {
    refresh.map_or(NextVisit::Never, |refresh| {
        after(now, refresh.saturating_mul(1 + u32::from(unchanged)).min(LONGEST_UNCHANGED))
    })
}

/// A moment that the calendar does not have is never.
fn after(now: Timestamp, pause: Duration) -> NextVisit {
    let moment = time::Duration::try_from(pause).ok().and_then(|pause| now.checked_add(pause));
    moment.map_or(NextVisit::Never, NextVisit::At)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::{prelude::*, proptest};
    use time::macros::datetime;

    use super::{History, NextVisit, Outcome, hours, next_visit};

    const NOW: omni_domain::Timestamp = datetime!(2026-11-25 12:00 UTC);

    /// The pauses in hours while the same thing happens again and again, until there is none.
    fn pauses(outcome: Outcome, refresh: u64, times: usize) -> Vec<i64> {
        let refresh = (refresh > 0).then(|| hours(refresh));
        let mut history = History::default();
        let mut pauses = Vec::new();
        for _ in 0..times {
            let (next, then) = next_visit(NOW, outcome, history, refresh);
            history = then;
            let NextVisit::At(moment) = next else { break };
            pauses.push((moment - NOW).whole_hours());
        }
        pauses
    }

    #[test]
    fn a_page_that_changes_is_visited_at_every_interval() {
        assert_eq!(pauses(Outcome::Changed, 24, 3), [24, 24, 24]);
        assert_eq!(pauses(Outcome::Changed, 0, 3), [0; 0]);
    }

    #[test]
    fn a_page_that_does_not_change_is_visited_less_and_less() {
        assert_eq!(pauses(Outcome::Unchanged, 24, 10), [48, 72, 96, 120, 144, 168, 192, 216, 216, 216]);
        assert_eq!(pauses(Outcome::Unchanged, 168, 5), [336, 504, 672, 720, 720]);
        assert_eq!(pauses(Outcome::Unchanged, 0, 1), [0; 0]);
    }

    #[test]
    fn a_page_that_fails_is_given_up_at_the_fifth_time() {
        assert_eq!(pauses(Outcome::Failed, 24, 9), [2, 4, 8, 16]);
        assert_eq!(pauses(Outcome::Failed, 0, 9), [2, 4, 8, 16]);
        let history = History { consecutive_failures: 4, consecutive_unchanged: 3 };
        assert_eq!(next_visit(NOW, Outcome::Failed, history, None).0, NextVisit::GivenUp);
        let (_, recovered) = next_visit(NOW, Outcome::Unchanged, history, Some(hours(1)));
        assert_eq!(recovered, History { consecutive_failures: 0, consecutive_unchanged: 4 });
    }

    #[test]
    fn a_page_that_is_gone_stays_gone_and_one_that_was_not_asked_for_is_asked_soon() {
        assert_eq!(next_visit(NOW, Outcome::Removed, History::default(), Some(hours(1))).0, NextVisit::Never);
        assert_eq!(pauses(Outcome::Postponed, 168, 7), [1; 7]);
    }

    proptest! {
        #[test]
        fn the_next_visit_is_later_and_within_thirty_days(
            outcome in prop_oneof![Just(Outcome::Changed), Just(Outcome::Unchanged), Just(Outcome::Failed)],
            consecutive_failures: u8,
            consecutive_unchanged: u8,
            refresh in proptest::option::of(1..=720_u64),
        ) {
            let history = History { consecutive_failures, consecutive_unchanged };
            let (next, then) = next_visit(NOW, outcome, history, refresh.map(hours));
            if let NextVisit::At(moment) = next {
                let pause = Duration::try_from(moment - NOW).unwrap();
                prop_assert!(pause >= hours(1) && pause <= hours(720));
            }
            prop_assert!(then.consecutive_unchanged <= 8 || outcome == Outcome::Failed);
        }
    }
}
