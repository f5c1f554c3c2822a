//! What chance can do.

use omni_registry::Action;
use proptest::prelude::*;

/// Numbers choose among whatever is there at the time.
#[derive(Debug, Clone)]
pub(super) enum Step {
    Spawn {
        slot: u8,
        identity: Identity,
        habit: Habit,
    },
    ParentRegisters(u8),
    Speak(u8),
    Deliver {
        message: u8,
        replica: bool,
        slowly: bool,
    },
    Lose(u8),
    Repeat(u8),
    Kill(u8),
    /// The gateway dies, and its children with it.
    KillAll,
    ReportExit(u8),
    Stop(u8),
    Wake(u8),
    Order {
        process: u8,
        action: Action,
    },
    Write(u8),
    Sweep(bool),
    StartReplica(bool),
    StopReplica(bool),
    SetClock(i64),
    /// Time passes, replicas sweep, processes beat, and the network loses what the bits say.
    Run {
        seconds: u8,
        losses: u64,
    },
}

/// How a process can be told from others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Identity {
    Token,
    PidAndStart,
    Pid,
}

/// How a process takes commands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Habit {
    /// As the contract says, and no more.
    Obeys,
    /// It also acknowledges, and leaves when it ends.
    Acknowledges,
    /// It acknowledges what it never does.
    Promises,
    /// It does not listen.
    Ignores,
}

fn identity() -> impl Strategy<Value = Identity> {
    prop_oneof![3 => Just(Identity::Token), 2 => Just(Identity::PidAndStart), 1 => Just(Identity::Pid)]
}

fn habit() -> impl Strategy<Value = Habit> {
    prop_oneof![
        4 => Just(Habit::Obeys),
        3 => Just(Habit::Acknowledges),
        1 => Just(Habit::Promises),
        1 => Just(Habit::Ignores),
    ]
}

fn action() -> impl Strategy<Value = Action> {
    prop_oneof![
        3 => Just(Action::Restart),
        1 => Just(Action::Shutdown),
        2 => (1..4u32).prop_map(|target| Action::Scale { target }),
    ]
}

fn seconds_that_a_clock_is_set_by() -> impl Strategy<Value = i64> {
    prop::sample::select(vec![3600, -3600, 86_400, 25, -25, 7, -7, 4, -4, 2, -2])
}

fn step() -> impl Strategy<Value = Step> {
    let which = any::<u8>;
    prop_oneof![
        4 => (which(), identity(), habit()).prop_map(|(slot, identity, habit)| Step::Spawn { slot, identity, habit }),
        2 => which().prop_map(Step::ParentRegisters),
        8 => which().prop_map(Step::Speak),
        16 => (which(), any::<bool>(), prop::bool::weighted(0.2))
            .prop_map(|(message, replica, slowly)| Step::Deliver { message, replica, slowly }),
        2 => which().prop_map(Step::Lose),
        3 => which().prop_map(Step::Repeat),
        2 => which().prop_map(Step::Kill),
        1 => Just(Step::KillAll),
        2 => which().prop_map(Step::ReportExit),
        1 => which().prop_map(Step::Stop),
        1 => which().prop_map(Step::Wake),
        4 => (which(), action()).prop_map(|(process, action)| Step::Order { process, action }),
        4 => which().prop_map(Step::Write),
        3 => any::<bool>().prop_map(Step::Sweep),
        1 => any::<bool>().prop_map(Step::StartReplica),
        1 => any::<bool>().prop_map(Step::StopReplica),
        2 => seconds_that_a_clock_is_set_by().prop_map(Step::SetClock),
        6 => (1..60u8, any::<u64>(), any::<u64>())
            .prop_map(|(seconds, one, other)| Step::Run { seconds, losses: one & other }),
    ]
}

pub(super) fn steps() -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec(step(), 1..60)
}

/// What kind of service each slot is for.
pub(super) fn slots() -> impl Strategy<Value = Vec<omni_registry::ServiceType>> {
    use omni_registry::ServiceType::{Channel, Worker};
    prop::collection::vec(prop_oneof![3 => Just(Channel), 1 => Just(Worker)], 1..4)
}
