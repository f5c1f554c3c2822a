use serde::{Deserialize, Serialize};
use time::{Date, Duration};

use crate::{AgentId, Timestamp};

/// Tokens that went into a model and came out of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenCount {
    /// Tokens of the prompt.
    pub input: u64,
    /// Tokens of the answer.
    pub output: u64,
}

/// What one turn cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TurnUsage {
    /// How many tokens.
    pub tokens: TokenCount,
    /// Whether the provider did not say, and these are estimates.
    pub estimated: bool,
}

/// What one agent did on one day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DailyUsage {
    /// The day in UTC.
    pub day: Date,
    /// The agent; none if it has been deleted since.
    pub agent: Option<AgentId>,
    /// Its name as it is now.
    pub agent_name: Option<String>,
    /// How many turns it took.
    pub turns: u64,
    /// How many of them failed.
    pub failed: u64,
    /// What they cost.
    pub tokens: TokenCount,
}

/// How an app stands against its limit of turns a minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MinuteWindow {
    /// Turns begun in the running minute.
    pub used: u32,
    /// The limit; 0 is without limit.
    pub limit: u32,
    /// Seconds until the minute is over.
    pub resets_in: u32,
}

/// How close an app is to its limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StressLevel {
    /// There is no limit.
    Unlimited,
    /// Under half of it.
    Low,
    /// Under four fifths of it.
    Moderate,
    /// Under 95 % of it.
    High,
    /// At or nearly at it.
    Critical,
}

impl MinuteWindow {
    /// When the minute that `now` is in began.
    #[must_use]
    pub fn began(now: Timestamp) -> Timestamp {
        now - Duration::seconds(now.second().into()) - Duration::nanoseconds(now.nanosecond().into())
    }

    /// How many seconds are left of the minute that `now` is in; at least one.
    #[must_use]
    pub fn seconds_left(now: Timestamp) -> u32 {
        60 - u32::from(now.second())
    }

    /// How much of the limit is used, in percent; 0 without a limit.
    #[must_use]
    pub fn percentage(self) -> f64 {
        if self.limit == 0 { 0.0 } else { f64::from(self.used) / f64::from(self.limit) * 100.0 }
    }

    /// How many turns are left in this minute; none without a limit.
    #[must_use]
    pub fn remaining(self) -> Option<u32> {
        (self.limit > 0).then(|| self.limit.saturating_sub(self.used))
    }

    /// Whether the next turn must wait for the next minute.
    #[must_use]
    pub fn is_exhausted(self) -> bool {
        self.remaining() == Some(0)
    }

    /// How close it is.
    #[must_use]
    pub fn stress(self) -> StressLevel {
        match self.percentage() {
            _ if self.limit == 0 => StressLevel::Unlimited,
            used if used < 50.0 => StressLevel::Low,
            used if used < 80.0 => StressLevel::Moderate,
            used if used < 95.0 => StressLevel::High,
            _ => StressLevel::Critical,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_begins_and_ends() {
        let now = time::macros::datetime!(2026-11-22 10:30:45.5 UTC);
        assert_eq!(MinuteWindow::began(now), time::macros::datetime!(2026-11-22 10:30 UTC));
        assert_eq!(MinuteWindow::seconds_left(now), 15);
    }

    #[test]
    fn a_window_fills_up() {
        let window = |used, limit| MinuteWindow { used, limit, resets_in: 30 };
        assert_eq!(window(7, 0).stress(), StressLevel::Unlimited);
        assert_eq!(window(7, 0).remaining(), None);
        assert_eq!(window(49, 100).stress(), StressLevel::Low);
        assert_eq!(window(50, 100).stress(), StressLevel::Moderate);
        assert_eq!(window(80, 100).stress(), StressLevel::High);
        assert_eq!(window(95, 100).stress(), StressLevel::Critical);
        assert!(window(100, 100).is_exhausted() && !window(99, 100).is_exhausted());
        assert_eq!(window(120, 100).remaining(), Some(0));
    }
}
