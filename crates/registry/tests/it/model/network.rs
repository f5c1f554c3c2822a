//! Messages under way, in no order.

use omni_registry::{Heartbeat, HeartbeatReply, RegisterReply, Registration, ServiceId};

#[derive(Debug, Clone)]
pub(super) enum Call {
    Register(Registration),
    Beat(ServiceId, Heartbeat),
    Leave(ServiceId),
}

#[derive(Debug, Clone)]
pub(super) enum Reply {
    Registered(RegisterReply),
    Heard(ServiceId, HeartbeatReply),
}

#[derive(Debug, Clone)]
#[expect(clippy::large_enum_variant, reason = "a model of a network holds a handful of them")]
pub(super) enum Message {
    /// From the child of that number, or from its parent, who does not wait for the answer.
    Request {
        child: usize,
        by_parent: bool,
        call: Call,
    },
    Response {
        child: usize,
        reply: Reply,
    },
}

#[derive(Debug, Default)]
pub(super) struct Network {
    under_way: Vec<Message>,
}

impl Network {
    pub(super) fn send(&mut self, message: Message) {
        self.under_way.push(message);
    }

    pub(super) fn take(&mut self, choice: u8) -> Option<Message> {
        let index = self.index(choice)?;
        Some(self.under_way.swap_remove(index))
    }

    pub(super) fn repeat(&mut self, choice: u8) {
        if let Some(index) = self.index(choice) {
            self.under_way.push(self.under_way[index].clone());
        }
    }

    pub(super) fn lose_everything(&mut self) {
        self.under_way.clear();
    }

    fn index(&self, choice: u8) -> Option<usize> {
        usize::from(choice).checked_rem(self.under_way.len())
    }
}
