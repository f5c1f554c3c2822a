//! Incarnations and commands as rows, and back.

use diesel::AsChangeset;
use diesel::prelude::{Insertable, Queryable, Selectable};
use omni_domain::{Invalid, Timestamp};
use omni_registry::{
    Action, Capabilities, Command, CommandId, Generation, HealthEndpoint, Incarnation, Lease, Metadata, Pid, Port,
    Process, ProcessStart, Profile, Reason, Seq, ServiceId, SpawnToken,
};
use serde_json::Value;

use crate::StoreError;
use crate::app_scoped::small;
use crate::schema::{service_commands, services};

/// One incarnation. What its three parts hold is written together at first, and apart later.
#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = services, check_for_backend(diesel::pg::Pg))]
pub(super) struct IncarnationRow {
    pub(super) service_id: String,
    slot_id: i64,
    generation: i64,
    service_type: String,
    registered: Timestamp,
    #[diesel(embed)]
    description: Description,
    #[diesel(embed)]
    lease: LeaseColumns,
}

/// Which process an incarnation is, how to reach it and what it can do.
#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = services, treat_none_as_null = true, check_for_backend(diesel::pg::Pg))]
pub(super) struct Description {
    pid: i64,
    spawn_token: Option<String>,
    started: Option<String>,
    port: Option<i64>,
    health_endpoint: Option<String>,
    capabilities: Option<Value>,
    metadata: Option<Value>,
}

/// How an incarnation's lease stands.
#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = services, treat_none_as_null = true, check_for_backend(diesel::pg::Pg))]
pub(super) struct LeaseColumns {
    phase: String,
    since: Timestamp,
    last_seen: Timestamp,
    status: Option<String>,
    metrics: Option<Value>,
    seq: Option<i64>,
    reason: Option<String>,
}

/// One command.
#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = service_commands, treat_none_as_null = true, check_for_backend(diesel::pg::Pg))]
pub(super) struct CommandRow {
    command_id: String,
    service_id: String,
    generation: i64,
    action: String,
    target: Option<i64>,
    reason: Option<String>,
    issued: Timestamp,
    deadline: Timestamp,
    state: String,
    closed: Option<Timestamp>,
}

fn json(value: &impl serde::Serialize) -> Result<Value, StoreError> {
    serde_json::to_value(value).map_err(|error| StoreError::inconsistent(error.to_string()))
}

fn from_json<T: serde::de::DeserializeOwned>(value: Value) -> Result<T, StoreError> {
    serde_json::from_value(value).map_err(|error| StoreError::inconsistent(error.to_string()))
}

fn word<T: std::str::FromStr<Err = omni_registry::UnknownWord>>(word: &str) -> Result<T, StoreError> {
    word.parse().map_err(|error: omni_registry::UnknownWord| StoreError::inconsistent(error.to_string()))
}

fn stored<T>(read: Result<T, Invalid>) -> Result<T, StoreError> {
    read.map_err(|error| StoreError::inconsistent(error.to_string()))
}

impl IncarnationRow {
    pub(super) fn of(slot_id: i64, incarnation: &Incarnation) -> Result<Self, StoreError> {
        Ok(Self {
            service_id: incarnation.id.as_str().to_owned(),
            slot_id,
            generation: incarnation.generation.get(),
            service_type: incarnation.service_type.to_string(),
            registered: incarnation.registered,
            description: Description::of(&incarnation.process, &incarnation.profile)?,
            lease: LeaseColumns::of(&incarnation.lease)?,
        })
    }
}

impl TryFrom<IncarnationRow> for Incarnation {
    type Error = StoreError;

    fn try_from(row: IncarnationRow) -> Result<Self, StoreError> {
        let (process, profile) = row.description.read()?;
        Ok(Self {
            id: stored(ServiceId::new(&row.service_id))?,
            generation: Generation::new(row.generation),
            service_type: word(&row.service_type)?,
            registered: row.registered,
            process,
            profile,
            lease: row.lease.read()?,
        })
    }
}

impl Description {
    pub(super) fn of(process: &Process, profile: &Profile) -> Result<Self, StoreError> {
        Ok(Self {
            pid: process.pid.get().into(),
            spawn_token: process.token.as_ref().map(|token| token.as_str().to_owned()),
            started: process.started.as_ref().map(|started| started.as_str().to_owned()),
            port: profile.port().map(|port| port.get().into()),
            health_endpoint: profile.health_endpoint().map(|endpoint| endpoint.as_str().to_owned()),
            capabilities: profile.capabilities().map(json).transpose()?,
            metadata: profile.metadata().map(json).transpose()?,
        })
    }

    fn read(self) -> Result<(Process, Profile), StoreError> {
        let process = Process {
            pid: stored(Pid::new(self.pid))?,
            token: stored(self.spawn_token.as_deref().map(SpawnToken::new).transpose())?,
            started: stored(self.started.as_deref().map(ProcessStart::new).transpose())?,
        };
        let metadata = match self.metadata {
            None => None,
            Some(Value::Object(object)) => Some(stored(Metadata::new(object))?),
            Some(_) => return Err(StoreError::inconsistent("metadata that is no object")),
        };
        let profile = stored(Profile::new(
            stored(self.port.map(Port::new).transpose())?,
            stored(self.health_endpoint.as_deref().map(HealthEndpoint::new).transpose())?,
            self.capabilities.map(from_json::<Capabilities>).transpose()?,
            metadata,
        ))?;
        Ok((process, profile))
    }
}

impl LeaseColumns {
    pub(super) fn of(lease: &Lease) -> Result<Self, StoreError> {
        Ok(Self {
            phase: lease.phase.to_string(),
            since: lease.since,
            last_seen: lease.last_seen,
            status: lease.status.map(|status| status.to_string()),
            metrics: lease.metrics.as_ref().map(json).transpose()?,
            seq: lease.seq.map(Seq::get),
            reason: lease.reason.as_ref().map(|reason| reason.as_str().to_owned()),
        })
    }

    fn read(self) -> Result<Lease, StoreError> {
        Ok(Lease {
            phase: word(&self.phase)?,
            since: self.since,
            last_seen: self.last_seen,
            status: self.status.as_deref().map(word).transpose()?,
            metrics: self.metrics.map(from_json).transpose()?,
            seq: stored(self.seq.map(Seq::new).transpose())?,
            reason: self.reason.as_deref().and_then(Reason::new),
        })
    }
}

impl CommandRow {
    pub(super) fn of(command: &Command) -> Self {
        let target = match command.action {
            Action::Scale { target } => Some(target.into()),
            Action::Shutdown | Action::Restart => None,
        };
        Self {
            command_id: command.id.as_str().to_owned(),
            service_id: command.service.as_str().to_owned(),
            generation: command.generation.get(),
            action: command.action.word().to_owned(),
            target,
            reason: command.reason.as_ref().map(|reason| reason.as_str().to_owned()),
            issued: command.issued,
            deadline: command.deadline,
            state: command.state.to_string(),
            closed: command.closed,
        }
    }
}

impl TryFrom<CommandRow> for Command {
    type Error = StoreError;

    fn try_from(row: CommandRow) -> Result<Self, StoreError> {
        let action = match (row.action.as_str(), row.target) {
            ("shutdown", None) => Action::Shutdown,
            ("restart", None) => Action::Restart,
            ("scale", Some(target)) => Action::Scale { target: small(target)? },
            (action, _) => return Err(StoreError::inconsistent(format!("a command to {action}"))),
        };
        Ok(Self {
            id: stored(CommandId::new(&row.command_id))?,
            service: stored(ServiceId::new(&row.service_id))?,
            generation: Generation::new(row.generation),
            action,
            reason: row.reason.as_deref().and_then(Reason::new),
            issued: row.issued,
            deadline: row.deadline,
            state: word(&row.state)?,
            closed: row.closed,
        })
    }
}
