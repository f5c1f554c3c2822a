//! A process under test: what it knows, what it says, how it takes the answers.

use std::time::Duration;

use omni_registry::{
    Action, Command, CommandId, Generation, Heartbeat, HeartbeatReply, Metrics, Pid, Process, ProcessStart, Profile,
    RegisterReply, Registration, Seq, ServiceId, ServiceType, SpawnToken, Status,
};

use super::network::{Call, Reply};
use super::step::{Habit, Identity};

#[derive(Debug)]
pub(super) struct Child {
    pub(super) slot: usize,
    pub(super) registration: Registration,
    pub(super) identity: Identity,
    pub(super) habit: Habit,
    pub(super) is_alive: bool,
    pub(super) is_stopped: bool,
    pub(super) holds: Option<(ServiceId, Generation)>,
    pub(super) speaks_at: Duration,
    seq: i64,
    scale: u32,
    acks: Vec<CommandId>,
}

/// What a process does about an answer.
#[derive(Debug, PartialEq)]
pub(super) enum Reaction {
    GoesOn,
    /// It ends, because it was told so by this command or because it was replaced.
    Ends(Option<Command>),
}

impl Child {
    pub(super) fn spawned(
        slot: usize,
        service_type: ServiceType,
        number: usize,
        pid: i64,
        identity: Identity,
        habit: Habit,
        now: Duration,
    ) -> Self {
        let process = Process {
            pid: Pid::new(pid).unwrap(),
            token: (identity == Identity::Token)
                .then(|| SpawnToken::new(&format!("spawned-as-number-{number}")).unwrap()),
            started: (identity == Identity::PidAndStart).then(|| ProcessStart::new(&number.to_string()).unwrap()),
        };
        Self {
            slot,
            registration: Registration { service_type, process, profile: Profile::default() },
            identity,
            habit,
            is_alive: true,
            is_stopped: false,
            holds: None,
            speaks_at: now,
            seq: 0,
            scale: 1,
            acks: Vec::new(),
        }
    }

    pub(super) fn is_running(&self) -> bool {
        self.is_alive && !self.is_stopped
    }

    pub(super) fn id(&self) -> Option<&ServiceId> {
        self.holds.as_ref().map(|(id, _)| id)
    }

    pub(super) fn next_call(&mut self) -> Call {
        let Some((id, _)) = self.holds.clone() else {
            return Call::Register(self.registration.clone());
        };
        self.seq += 1;
        let metrics = Metrics {
            cpu: 0.5,
            memory: 1.0,
            active_connections: None,
            messages_processed: None,
            scale: (self.habit == Habit::Obeys).then_some(self.scale),
        };
        let beat = Heartbeat {
            metrics: Some(metrics),
            // Whoever counts its beats knows the fuller protocol, and so has more than a pid.
            seq: (self.identity != Identity::Pid).then(|| Seq::new(self.seq).unwrap()),
            acks: std::mem::take(&mut self.acks),
            ..Heartbeat::new(Status::Healthy)
        };
        Call::Beat(id, beat)
    }

    pub(super) fn hear(&mut self, reply: Reply) -> Reaction {
        match reply {
            Reply::Registered(RegisterReply::Accepted { service, generation, .. }) => {
                self.holds = Some((service, generation));
                Reaction::GoesOn
            }
            Reply::Registered(RegisterReply::Superseded { .. } | RegisterReply::Gone) => Reaction::Ends(None),
            Reply::Heard(id, reply) if self.id() == Some(&id) => self.hear_about_itself(reply),
            Reply::Heard(..) => Reaction::GoesOn,
        }
    }

    fn hear_about_itself(&mut self, reply: HeartbeatReply) -> Reaction {
        match reply {
            HeartbeatReply::Known { commands } => self.take(commands),
            HeartbeatReply::Unknown => {
                self.holds = None;
                Reaction::GoesOn
            }
            HeartbeatReply::Superseded { .. } | HeartbeatReply::Gone => Reaction::Ends(None),
        }
    }

    /// It remembers no command ids: whatever is repeated, it would do again.
    fn take(&mut self, commands: Vec<Command>) -> Reaction {
        for command in commands {
            if matches!(self.habit, Habit::Acknowledges | Habit::Promises) {
                self.acks.push(command.id.clone());
            }
            match command.action {
                Action::Scale { target } if self.habit != Habit::Ignores => self.scale = target,
                Action::Shutdown | Action::Restart if matches!(self.habit, Habit::Obeys | Habit::Acknowledges) => {
                    return Reaction::Ends(Some(command));
                }
                Action::Scale { .. } | Action::Shutdown | Action::Restart => {}
            }
        }
        Reaction::GoesOn
    }
}
