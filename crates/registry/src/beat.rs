use omni_domain::Invalid;
use serde::{Deserialize, Serialize};

use crate::CommandId;
use crate::words::words;

/// The most acknowledgements that one beat carries.
const MOST_ACKS: usize = 64;

words! {
    /// How a service says that it is.
    Status {
        /// All is well.
        Healthy => "healthy",
        /// It works, with less than it should have.
        Degraded => "degraded",
        /// It does not work.
        Unhealthy => "unhealthy",
    }
}

/// The place of a beat among the beats of one process, which counts them up. With it, a beat that the network delayed
/// or repeated does no harm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Seq(i64);

impl Seq {
    /// Checks a number.
    ///
    /// # Errors
    /// When it is negative; the field is `seq`.
    pub fn new(number: i64) -> Result<Self, Invalid> {
        if number < 0 {
            return Err(Invalid::new("seq", "must not be negative"));
        }
        Ok(Self(number))
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }
}

/// What a service measures of itself. The latest measurement replaces the one before.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Metrics {
    /// Its use of processors, in the service's own unit.
    pub cpu: f64,
    /// Its use of memory, in the service's own unit.
    pub memory: f64,
    /// Its open connections.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub active_connections: Option<u64>,
    /// The messages that it has processed since it began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub messages_processed: Option<u64>,
    /// How many units of work it runs: what the command `scale` sets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scale: Option<u32>,
}

/// What a service says when it beats.
#[derive(Debug, Clone, PartialEq)]
pub struct Heartbeat {
    /// How it is.
    pub status: Status,
    /// What it measured.
    pub metrics: Option<Metrics>,
    /// The number of this beat.
    pub seq: Option<Seq>,
    /// The commands that it has heard; at most 64 of them count.
    pub acks: Vec<CommandId>,
}

impl Heartbeat {
    /// A beat that says no more than the contract asks for.
    #[must_use]
    pub const fn new(status: Status) -> Self {
        Self { status, metrics: None, seq: None, acks: Vec::new() }
    }

    /// Whether the service acknowledges that command.
    pub(crate) fn acknowledges(&self, command: &CommandId) -> bool {
        self.acks.iter().take(MOST_ACKS).any(|ack| ack == command)
    }

    /// How many units of work the service says it runs.
    pub(crate) fn scale(&self) -> Option<u32> {
        self.metrics.as_ref().and_then(|metrics| metrics.scale)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_those_of_the_contract() {
        assert_eq!("degraded".parse(), Ok(Status::Degraded));
        assert_eq!("dead".parse::<Status>().unwrap_err().to_string(), "`dead` is none of healthy, degraded, unhealthy");
        assert_eq!(serde_json::to_value(Status::Unhealthy).unwrap(), "unhealthy");
    }

    #[test]
    fn a_number_of_a_beat_is_not_negative() {
        assert_eq!(Seq::new(0).unwrap().get(), 0);
        assert_eq!(Seq::new(-1).unwrap_err().field, "seq");
    }

    #[test]
    fn only_so_many_acknowledgements_count() {
        let ids: Vec<_> = (0..65).map(|number| CommandId::new(&format!("cmd_{number}")).unwrap()).collect();
        let beat = Heartbeat { acks: ids.clone(), ..Heartbeat::new(Status::Healthy) };
        assert!(beat.acknowledges(&ids[63]) && !beat.acknowledges(&ids[64]));
    }

    #[test]
    fn metrics_are_stored_as_the_contract_spells_them() {
        let metrics =
            Metrics { cpu: 0.5, memory: 64.0, active_connections: Some(2), messages_processed: None, scale: None };
        let stored = serde_json::to_value(&metrics).unwrap();
        assert_eq!(stored, serde_json::json!({"cpu": 0.5, "memory": 64.0, "activeConnections": 2}));
        assert_eq!(serde_json::from_value::<Metrics>(stored).unwrap(), metrics);
    }
}
