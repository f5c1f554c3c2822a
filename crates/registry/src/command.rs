use std::time::Duration;

use omni_domain::{Invalid, Timestamp};
use serde::Serialize;

use crate::words::words;
use crate::{CommandId, Generation, Reason, ServiceId};

/// What a service is told to do.
///
/// Each says what should be so, never what to change, so hearing it twice is hearing it once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Action {
    /// End, and stay away.
    Shutdown,
    /// End, and be replaced by a new incarnation.
    Restart,
    /// Run that many units of work.
    Scale {
        /// How many.
        target: u32,
    },
}

impl Action {
    /// The word that the contract uses for the kind of command.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Shutdown => "shutdown",
            Self::Restart => "restart",
            Self::Scale { .. } => "scale",
        }
    }

    /// Whether it is carried out by the end of the incarnation.
    #[must_use]
    pub const fn ends_the_incarnation(&self) -> bool {
        matches!(self, Self::Shutdown | Self::Restart)
    }
}

words! {
    /// How a command stands.
    CommandState {
        /// It is repeated in the answer to every beat.
        Open => "open",
        /// The service has heard it; it is repeated no more, and still to be carried out.
        Acknowledged => "acknowledged",
        /// It was carried out.
        Done => "done",
        /// A later command took its place.
        Replaced => "replaced",
        /// The incarnation ended before it was carried out, so that it no longer matters.
        Abandoned => "abandoned",
        /// The incarnation did not end in time; whoever supervises it was told to end it.
        Forced => "forced",
        /// The service did not reach the target in time.
        Unmet => "unmet",
    }
}

impl CommandState {
    /// Whether it is still to be carried out.
    #[must_use]
    pub const fn is_pending(self) -> bool {
        matches!(self, Self::Open | Self::Acknowledged)
    }
}

/// A command to one incarnation. Its successor never sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// Its id.
    pub id: CommandId,
    /// Whom it is for.
    pub service: ServiceId,
    /// The generation that it is for.
    pub generation: Generation,
    /// What to do.
    pub action: Action,
    /// Why.
    pub reason: Option<Reason>,
    /// When it was given.
    pub issued: Timestamp,
    /// When it must have been carried out.
    pub deadline: Timestamp,
    /// How it stands.
    pub state: CommandState,
    /// When it was carried out or given up.
    pub closed: Option<Timestamp>,
}

impl Command {
    /// The same command, settled.
    pub(crate) fn settled(&self, state: CommandState, now: Timestamp) -> Self {
        Self { state, closed: (!state.is_pending()).then_some(now), ..self.clone() }
    }

    /// How it is settled when its incarnation ends.
    pub(crate) const fn outcome_of_the_end(&self) -> CommandState {
        if self.action.ends_the_incarnation() { CommandState::Done } else { CommandState::Abandoned }
    }
}

/// A command that somebody wants to give.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    pub(crate) action: Action,
    pub(crate) reason: Option<Reason>,
    pub(crate) within: Duration,
}

impl Order {
    /// How long a service has to carry out a command unless the order says otherwise.
    pub const USUAL_DEADLINE: Duration = Duration::from_secs(60);
    const SHORTEST_DEADLINE: Duration = Duration::from_secs(1);
    const LONGEST_DEADLINE: Duration = Duration::from_secs(60 * 60);

    /// An order with the usual deadline.
    #[must_use]
    pub const fn new(action: Action) -> Self {
        Self { action, reason: None, within: Self::USUAL_DEADLINE }
    }

    /// The same order, saying why.
    #[must_use]
    pub fn because(self, reason: &str) -> Self {
        Self { reason: Reason::new(reason), ..self }
    }

    /// The same order, to be carried out in that time.
    ///
    /// # Errors
    /// When it is not from one second to one hour; the field is `deadlineMs`.
    pub fn within(self, within: Duration) -> Result<Self, Invalid> {
        if (Self::SHORTEST_DEADLINE..=Self::LONGEST_DEADLINE).contains(&within) {
            return Ok(Self { within, ..self });
        }
        Err(Invalid::new("deadlineMs", "must be from 1000 to 3600000"))
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    fn restart() -> Command {
        Command {
            id: CommandId::new("cmd_1").unwrap(),
            service: ServiceId::new("svc_1").unwrap(),
            generation: Generation::new(1),
            action: Action::Restart,
            reason: None,
            issued: datetime!(2026-01-01 12:00 UTC),
            deadline: datetime!(2026-01-01 12:01 UTC),
            state: CommandState::Open,
            closed: None,
        }
    }

    #[test]
    fn a_command_is_closed_when_it_is_settled_and_not_when_it_is_heard() {
        let now = datetime!(2026-01-01 12:00:30 UTC);
        for state in CommandState::ALL {
            let closed = restart().settled(*state, now).closed;
            let expected = match state {
                CommandState::Open | CommandState::Acknowledged => None,
                _ => Some(now),
            };
            assert_eq!(closed, expected, "{state}");
        }
    }

    #[test]
    fn a_deadline_is_from_a_second_to_an_hour() {
        let within = |milliseconds| Order::new(Action::Shutdown).within(Duration::from_millis(milliseconds));
        assert!(within(1000).is_ok() && within(3_600_000).is_ok());
        for milliseconds in [0, 999, 3_600_001] {
            assert_eq!(within(milliseconds).unwrap_err().field, "deadlineMs");
        }
    }

    #[test]
    fn words_are_those_of_the_contract() {
        let words = [Action::Shutdown, Action::Restart, Action::Scale { target: 2 }].map(|action| action.word());
        assert_eq!(words, ["shutdown", "restart", "scale"]);
    }
}
