use omni_domain::{Entropy, Timestamp};

use crate::moment::after;
use crate::transition::Transition;
use crate::{
    Action, Change, Command, CommandId, CommandState, Happening, Incarnation, Order, Outcome, RegistryError, ServiceId,
    Slot,
};

/// What an acknowledgement found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AckReply {
    /// The command is noted as heard.
    Noted,
    /// The command is settled, was heard before, or was never this service's.
    NothingPending,
}

impl Slot {
    /// Gives a command to an incarnation, and answers with it.
    ///
    /// The same order again, while it is pending, answers with the command that is there. A new target of `scale` takes
    /// the place of the old one, and `shutdown` that of `restart`.
    ///
    /// # Errors
    /// [`RegistryError::UnknownService`]; [`RegistryError::NotAddressed`] when the lease has expired or ended;
    /// [`RegistryError::Draining`] when the incarnation is to end already and the order would outlive it.
    pub fn issue(
        &self,
        id: &ServiceId,
        order: Order,
        now: Timestamp,
        entropy: &dyn Entropy,
    ) -> Result<Outcome<Command>, RegistryError> {
        let incarnation = self.find(id).ok_or(RegistryError::UnknownService)?;
        if !incarnation.lease.phase.is_addressed() {
            return Err(RegistryError::NotAddressed(incarnation.lease.phase));
        }
        let mut transition = Transition::of(self, now);
        if let Some(same) = self.pending_for(incarnation).find(|command| command.action == order.action) {
            return Ok(transition.finish(same.clone()));
        }
        if self.pending_for(incarnation).any(|command| outranks(command.action, order.action)) {
            return Err(RegistryError::Draining);
        }
        for replaced in self.pending_for(incarnation).filter(|command| takes_the_place_of(order.action, command.action))
        {
            transition.settle(incarnation, replaced, CommandState::Replaced);
        }
        let command = Command {
            id: CommandId::generate(entropy),
            service: incarnation.id.clone(),
            generation: incarnation.generation,
            action: order.action,
            reason: order.reason,
            issued: now,
            deadline: after(now, order.within),
            state: CommandState::Open,
            closed: None,
        };
        transition.record(Change::Command(Box::new(command.clone())));
        transition.announce(incarnation, &command);
        Ok(transition.finish(command))
    }

    /// Notes that an incarnation has heard one of its commands, outside a heartbeat.
    pub fn ack(&self, id: &ServiceId, command: &CommandId, now: Timestamp) -> Outcome<AckReply> {
        let mut transition = Transition::of(self, now);
        let open = |candidate: &Command| candidate.id == *command && candidate.state == CommandState::Open;
        match self.find(id) {
            Some(incarnation) if self.pending_for(incarnation).any(open) => {
                transition.acknowledge(incarnation, open);
                transition.finish(AckReply::Noted)
            }
            _ => transition.finish(AckReply::NothingPending),
        }
    }
}

impl Transition<'_> {
    fn announce(&mut self, incarnation: &Incarnation, command: &Command) {
        self.tell(incarnation, Happening::CommandIssued { command: command.id.clone(), action: command.action });
    }
}

/// Whether a pending command makes a new one pointless: the incarnation ends before it could be carried out.
const fn outranks(pending: Action, new: Action) -> bool {
    match new {
        Action::Shutdown => false,
        Action::Restart => matches!(pending, Action::Shutdown),
        Action::Scale { .. } => pending.ends_the_incarnation(),
    }
}

/// Whether a new command makes a pending one pointless.
const fn takes_the_place_of(new: Action, pending: Action) -> bool {
    matches!((new, pending), (Action::Scale { .. }, Action::Scale { .. }) | (Action::Shutdown, Action::Restart))
}
