use std::time::Duration;

use omni_domain::Timestamp;

use crate::Terms;
use crate::moment::{after, before};

/// The moments that a sweep compares with, for a store that counts and looks up what is due.
///
/// A slot needs sweeping if one of its rows meets one of the conditions. A sweep decides anew, so a condition that is too
/// wide costs time and nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Due {
    /// An addressed lease is silent if it was last seen at or before this moment.
    pub silent: Timestamp,
    /// An addressed lease is overdue if it was last seen at or before this moment.
    pub overdue: Timestamp,
    /// A pending command is late if its deadline is at or before this moment.
    pub late: Timestamp,
    /// A lease that is addressed no more is forgotten if it has stood so since this moment or before.
    pub forgotten: Timestamp,
    /// An addressed lease that was last seen after this moment, and a pending command issued after it, come from a clock
    /// that has been set back since.
    pub from_the_future: Timestamp,
}

impl Terms {
    /// What is due at that moment.
    #[must_use]
    pub fn due(&self, now: Timestamp) -> Due {
        let ago = |wait: Duration| before(now, wait);
        Due {
            silent: ago(self.suspect_after()),
            overdue: ago(self.lease_ttl()),
            late: now,
            forgotten: ago(Self::RETENTION),
            from_the_future: after(now, self.clock_tolerance()),
        }
    }
}
