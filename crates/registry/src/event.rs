use omni_domain::Timestamp;
use serde::Serialize;

use crate::{
    Action, CommandId, CommandState, Generation, Incarnation, Phase, Reason, ServiceId, ServiceType, SlotKey, Status,
};

/// Something that happened to an incarnation. Store it in the transaction that stores the changes: then it is told once.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    /// Where.
    pub slot: SlotKey,
    /// To what kind of service.
    pub service_type: ServiceType,
    /// To which incarnation.
    pub service_id: ServiceId,
    /// Its generation. Whoever acts upon the event acts upon this generation only.
    pub generation: Generation,
    /// When.
    #[serde(with = "time::serde::rfc3339")]
    pub at: Timestamp,
    /// What.
    #[serde(flatten)]
    pub what: Happening,
}

/// What can happen to an incarnation.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "type", rename_all_fields = "camelCase")]
pub enum Happening {
    /// It registered for the first time.
    #[serde(rename = "service.registered")]
    Registered,
    /// A newer incarnation took its slot.
    #[serde(rename = "service.superseded")]
    Superseded {
        /// The generation of the newer one.
        by: Generation,
    },
    /// It says that it is otherwise than it said before.
    #[serde(rename = "service.status_changed")]
    StatusChanged {
        /// What it said before, if it had said anything.
        from: Option<Status>,
        /// What it says now.
        to: Status,
    },
    /// It has been silent for two intervals.
    #[serde(rename = "service.suspect")]
    Suspect,
    /// It has been silent for three: replace it.
    #[serde(rename = "service.expired")]
    Expired,
    /// It is heard again.
    #[serde(rename = "service.recovered")]
    Recovered {
        /// How its lease stood.
        from: Phase,
    },
    /// It ended.
    #[serde(rename = "service.deregistered")]
    Deregistered {
        /// Why.
        reason: Option<Reason>,
    },
    /// It was given a command.
    #[serde(rename = "service.command_issued")]
    CommandIssued {
        /// Which.
        command: CommandId,
        /// What to do.
        action: Action,
    },
    /// A command to it is settled.
    #[serde(rename = "service.command_settled")]
    CommandSettled {
        /// Which.
        command: CommandId,
        /// What was to do.
        action: Action,
        /// How it is settled.
        outcome: CommandState,
    },
    /// It was told to end and did not: whoever supervises it must end it, by TERM and then by KILL.
    #[serde(rename = "service.must_end")]
    MustEnd {
        /// The command that it did not carry out.
        command: CommandId,
        /// What was to do: after a restart it is to be replaced.
        action: Action,
    },
}

impl Event {
    pub(crate) fn of(incarnation: &Incarnation, slot: &SlotKey, at: Timestamp, what: Happening) -> Self {
        Self {
            slot: slot.clone(),
            service_type: incarnation.service_type,
            service_id: incarnation.id.clone(),
            generation: incarnation.generation,
            at,
            what,
        }
    }

    /// Its type, such as `service.expired`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self.what {
            Happening::Registered => "service.registered",
            Happening::Superseded { .. } => "service.superseded",
            Happening::StatusChanged { .. } => "service.status_changed",
            Happening::Suspect => "service.suspect",
            Happening::Expired => "service.expired",
            Happening::Recovered { .. } => "service.recovered",
            Happening::Deregistered { .. } => "service.deregistered",
            Happening::CommandIssued { .. } => "service.command_issued",
            Happening::CommandSettled { .. } => "service.command_settled",
            Happening::MustEnd { .. } => "service.must_end",
        }
    }
}
