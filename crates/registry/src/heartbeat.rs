use omni_domain::Timestamp;

use crate::transition::Transition;
use crate::{
    Action, Command, CommandState, Generation, Happening, Heartbeat, Incarnation, Lease, Outcome, Phase, ServiceId,
    Slot,
};

/// The answer to a heartbeat.
#[derive(Debug, Clone, PartialEq)]
pub enum HeartbeatReply {
    /// The lease stands. These commands are yet to be carried out, oldest first.
    Known {
        /// The commands.
        commands: Vec<Command>,
    },
    /// Nobody has this id: register anew, after a random part of an interval.
    Unknown,
    /// A newer incarnation has taken the slot: shut down.
    Superseded {
        /// The generation that this incarnation had.
        generation: Generation,
    },
    /// This incarnation has been deregistered.
    Gone,
}

impl Slot {
    /// Renews a lease, notes what the service says of itself and which commands it has carried out, and hands out those
    /// that it has not.
    ///
    /// A beat that the network delayed or repeated (see [`Seq`](crate::Seq)) renews nothing and overwrites nothing; its
    /// acknowledgements count. If the lease has expired meanwhile, such a beat is answered as unknown, so that a service
    /// that lost count registers anew instead of beating for nothing.
    pub fn heartbeat(&self, id: &ServiceId, beat: &Heartbeat, now: Timestamp) -> Outcome<HeartbeatReply> {
        let mut transition = Transition::of(self, now);
        let Some(incarnation) = self.find(id) else {
            return transition.finish(HeartbeatReply::Unknown);
        };
        let is_late = incarnation.lease.has_heard(beat.seq);
        match incarnation.lease.phase {
            Phase::Superseded => {
                return transition.finish(HeartbeatReply::Superseded { generation: incarnation.generation });
            }
            Phase::Deregistered => return transition.finish(HeartbeatReply::Gone),
            Phase::Expired if is_late => return transition.finish(HeartbeatReply::Unknown),
            Phase::Live | Phase::Suspect | Phase::Expired => {}
        }
        if !is_late {
            transition.hear(incarnation, beat);
        }
        transition.acknowledge(incarnation, |command| beat.acknowledges(&command.id));
        let commands = transition
            .slot
            .pending_for(incarnation)
            .filter(|command| command.state == CommandState::Open)
            .cloned()
            .collect();
        transition.finish(HeartbeatReply::Known { commands })
    }
}

impl Transition<'_> {
    fn hear(&mut self, incarnation: &Incarnation, beat: &Heartbeat) {
        let before = &incarnation.lease;
        let lease = Lease {
            status: Some(beat.status),
            metrics: beat.metrics.clone().or_else(|| before.metrics.clone()),
            seq: beat.seq.or(before.seq),
            ..before.renewed(self.now)
        };
        self.renew(incarnation, lease);
        if before.status != Some(beat.status) {
            self.tell(incarnation, Happening::StatusChanged { from: before.status, to: beat.status });
        }
        let Some(reached) = beat.scale() else { return };
        let met: Vec<_> = self
            .slot
            .pending_for(incarnation)
            .filter(|command| command.action == Action::Scale { target: reached })
            .cloned()
            .collect();
        for command in met {
            self.settle(incarnation, &command, CommandState::Done);
        }
    }

    /// Notes that a service has heard commands. That settles a `scale`; what ends the incarnation is settled by its end.
    pub(crate) fn acknowledge(&mut self, incarnation: &Incarnation, is_heard: impl Fn(&Command) -> bool) {
        let heard: Vec<_> = self
            .slot
            .pending_for(incarnation)
            .filter(|command| command.state == CommandState::Open && is_heard(command))
            .cloned()
            .collect();
        for command in heard {
            let state =
                if command.action.ends_the_incarnation() { CommandState::Acknowledged } else { CommandState::Done };
            self.settle(incarnation, &command, state);
        }
    }
}
