//! Two replicas over one store, the children of a gateway, and what is under way between them.

use std::time::Duration;

use omni_domain::Timestamp;
use omni_registry::{
    Action, Change, Event, Happening, InMemoryRegistry, Order, Outcome, Reason, RegisterReply, ServiceId, ServiceType,
    SlotKey, Sweeper, Terms, Verdict,
};
use time::macros::datetime;

use super::network::{Call, Message, Network, Reply};
use super::process::{Child, Reaction};
use super::rows::Rows;
use super::step::{Habit, Identity, Step};
use super::witness::Witness;
use crate::world::{Counting, slot};

const MOST_CHILDREN: usize = 12;
/// How long a transaction may have waited for its row when it is done.
const SLOW: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(super) struct Simulation {
    pub(super) registry: InMemoryRegistry,
    pub(super) terms: Terms,
    pub(super) children: Vec<Child>,
    pub(super) network: Network,
    pub(super) witness: Witness,
    pub(super) rows: Rows,
    pub(super) now: Duration,
    wall: Timestamp,
    /// Which replicas have swept since the clock was last set. A clock that is set twice between two sweeps, there and
    /// back, leaves nothing for a sweeper to see; the registry does not promise anything then.
    has_seen_clock: [bool; 2],
    replicas: [Option<Sweeper>; 2],
    slots: Vec<(SlotKey, ServiceType)>,
    entropy: Counting,
}

impl Simulation {
    pub(super) fn new(types: &[ServiceType]) -> Self {
        let terms = Terms::default();
        let slots = types.iter().enumerate().map(|(number, kind)| (slot(&format!("slot-{number}")), *kind)).collect();
        Self {
            registry: InMemoryRegistry::new(terms, 1000),
            terms,
            children: Vec::new(),
            network: Network::default(),
            witness: Witness::default(),
            rows: Rows::default(),
            now: Duration::ZERO,
            wall: datetime!(2026-03-01 12:00 UTC),
            has_seen_clock: [true; 2],
            replicas: [0, 1].map(|_| Some(Sweeper::new(terms, Duration::ZERO))),
            slots,
            entropy: Counting::default(),
        }
    }

    pub(super) fn take(&mut self, step: &Step) {
        match *step {
            Step::Spawn { slot, identity, habit } => self.spawn(usize::from(slot) % self.slots.len(), identity, habit),
            Step::ParentRegisters(choice) => {
                if let Some(child) = self.choose(choice, |child| child.identity != Identity::Pid) {
                    let call = Call::Register(self.children[child].registration.clone());
                    self.network.send(Message::Request { child, by_parent: true, call });
                }
            }
            Step::Speak(choice) => {
                if let Some(child) = self.choose(choice, Child::is_running) {
                    let call = self.children[child].next_call();
                    self.network.send(Message::Request { child, by_parent: false, call });
                }
            }
            Step::Deliver { message, replica, slowly } => {
                if let Some(message) = self.network.take(message) {
                    self.deliver(message, replica, if slowly { SLOW } else { Duration::ZERO });
                }
            }
            Step::Lose(message) => drop(self.network.take(message)),
            Step::Repeat(message) => self.network.repeat(message),
            Step::Kill(choice) => {
                if let Some(child) = self.choose(choice, |child| child.is_alive) {
                    self.children[child].is_alive = false;
                }
            }
            Step::KillAll => self.children.iter_mut().for_each(|child| child.is_alive = false),
            Step::ReportExit(choice) => {
                if let Some(child) = self.choose(choice, |child| !child.is_alive && child.identity != Identity::Pid) {
                    self.report_exit(child);
                }
            }
            Step::Stop(choice) => self.set_stopped(choice, true),
            Step::Wake(choice) => self.set_stopped(choice, false),
            Step::Order { process, action } => self.order(process, action),
            Step::Write(choice) => {
                let writes = |child: &Child| child.is_running() && child.holds.is_some();
                if let Some(child) = self.choose(choice, writes) {
                    self.write(child);
                }
            }
            Step::Sweep(replica) => self.sweep(usize::from(replica)),
            Step::StartReplica(replica) => self.start_replica(usize::from(replica)),
            Step::StopReplica(replica) => self.replicas[usize::from(replica)] = None,
            Step::SetClock(seconds) => self.set_clock(seconds),
            Step::Run { seconds, losses } => {
                for second in 0..u32::from(seconds) {
                    self.tick(losses.rotate_left(second));
                }
            }
        }
        self.witness.look_at(&self.registry);
    }

    /// One second: both replicas sweep when it is time, every child writes, and if it has something to say it gets
    /// through unless the lowest bits say that its call or its answer is lost.
    pub(super) fn tick(&mut self, losses: u64) {
        self.now += Duration::from_secs(1);
        self.wall += Duration::from_secs(1);
        for (replica, phase) in [(0, 0), (1, 3)] {
            if self.now.as_secs() % 5 == phase {
                self.sweep(replica);
            }
        }
        for child in 0..self.children.len() {
            if self.children[child].is_running() && self.children[child].holds.is_some() {
                self.write(child);
            }
            if self.children[child].is_running() && self.children[child].speaks_at <= self.now {
                self.converse(child, losses.rotate_left(u32::try_from(child).unwrap() * 2));
            }
        }
    }

    fn converse(&mut self, child: usize, losses: u64) {
        let was_registered = self.children[child].holds.is_some();
        let call = self.children[child].next_call();
        let replica = child % 2 == 1;
        let answer = if losses & 1 == 0 { self.answer(&call, replica, Duration::ZERO) } else { None };
        let answer = answer.filter(|_| losses & 2 == 0);
        let beats_at = self.now + self.terms.heartbeat_interval();
        // A lost registration is tried again within five seconds; a lost beat is not tried again.
        self.children[child].speaks_at =
            if was_registered || answer.is_some() { beats_at } else { self.now + Duration::from_secs(3) };
        if let Some(reply) = answer {
            self.hear(child, reply);
        }
        if was_registered && self.children[child].holds.is_none() {
            self.children[child].speaks_at = self.now + Duration::from_secs(5);
        }
    }

    fn deliver(&mut self, message: Message, replica: bool, slowness: Duration) {
        match message {
            Message::Request { child, by_parent, call } => {
                if let Some(reply) = self.answer(&call, replica, slowness)
                    && !by_parent
                {
                    self.network.send(Message::Response { child, reply });
                }
            }
            Message::Response { child, reply } if self.children[child].is_running() => self.hear(child, reply),
            Message::Response { child, .. } if !self.children[child].is_alive => {}
            waiting @ Message::Response { .. } => self.network.send(waiting),
        }
    }

    fn answer(&mut self, call: &Call, replica: bool, slowness: Duration) -> Option<Reply> {
        self.replicas[usize::from(replica)].as_ref()?;
        let began = self.now.saturating_sub(slowness);
        let wall = self.wall - (self.now - began);
        match call {
            Call::Register(registration) => {
                let key = self.key_of(registration);
                let outcome = self.registry.register(&key, registration.clone(), wall, &self.entropy).unwrap();
                if let RegisterReply::Accepted { service, .. } = &outcome.reply {
                    self.witness.registered(service, began);
                }
                Some(Reply::Registered(self.note(&key, outcome)))
            }
            Call::Beat(id, beat) => {
                let outcome = self.registry.heartbeat(id, beat, wall);
                self.witness.beat(id, beat, began);
                let key = self.rows.key_of(id).unwrap();
                Some(Reply::Heard(id.clone(), self.note(&key, outcome)))
            }
            Call::Leave(id) => {
                let outcome = self.registry.deregister(id, Reason::new("exited:0"), wall);
                let key = self.rows.key_of(id).unwrap();
                self.note(&key, outcome);
                None
            }
        }
    }

    fn key_of(&self, registration: &omni_registry::Registration) -> SlotKey {
        let of = |child: &&Child| child.registration == *registration;
        let child = self.children.iter().find(of).unwrap();
        self.slots[child.slot].0.clone()
    }

    fn hear(&mut self, child: usize, reply: Reply) {
        let Reaction::Ends(command) = self.children[child].hear(reply) else { return };
        self.children[child].is_alive = false;
        if let Some(command) = &command {
            let (_, generation) = self.children[child].holds.clone().unwrap();
            self.witness.obeyed(command, generation);
        }
        if self.children[child].habit == Habit::Acknowledges {
            self.report_exit(child);
        }
        if command.is_some_and(|command| command.action == Action::Restart) {
            self.replace(child);
        }
    }

    fn report_exit(&mut self, child: usize) {
        if let Some(id) = self.children[child].id().cloned() {
            self.network.send(Message::Request { child, by_parent: true, call: Call::Leave(id) });
        }
    }

    fn replace(&mut self, child: usize) {
        let Child { slot, identity, habit, .. } = self.children[child];
        self.spawn(slot, identity, habit);
    }

    fn spawn(&mut self, slot: usize, identity: Identity, habit: Habit) {
        let number = self.children.len();
        if number < MOST_CHILDREN {
            let (kind, pid) = (self.slots[slot].1, self.pid_of_next(slot, identity));
            self.children.push(Child::spawned(slot, kind, number, pid, identity, habit, self.now));
        }
    }

    /// Whoever has nothing but a pid gets that of a predecessor that is gone, as in a container; everybody else one that
    /// nobody had.
    fn pid_of_next(&self, slot: usize, identity: Identity) -> i64 {
        let number = |count: usize| i64::try_from(count).unwrap();
        if identity != Identity::Pid {
            return 1000 + number(self.children.len());
        }
        let alive = || self.children.iter().filter(|child| child.is_alive);
        let is_free = |pid: &i64| alive().all(|child| i64::from(child.registration.process.pid.get()) != *pid);
        (100 * number(slot + 1)..).find(is_free).unwrap()
    }

    fn set_stopped(&mut self, choice: u8, is_stopped: bool) {
        if let Some(child) = self.choose(choice, |child| child.is_alive) {
            self.children[child].is_stopped = is_stopped;
        }
    }

    fn order(&mut self, choice: u8, action: Action) {
        let Some(child) = self.choose(choice, |child| child.holds.is_some()) else { return };
        let id = self.children[child].id().unwrap().clone();
        if let Ok(outcome) = self.registry.issue(&id, Order::new(action), self.wall, &self.entropy) {
            let key = self.rows.key_of(&id).unwrap();
            self.note(&key, outcome);
        }
    }

    fn write(&mut self, child: usize) {
        let child = &self.children[child];
        let (key, kind) = &self.slots[child.slot];
        if kind.is_exclusive() {
            self.witness.wrote(key, child.holds.as_ref().unwrap().1);
        }
    }

    pub(super) fn start_replica(&mut self, replica: usize) {
        self.replicas[replica].get_or_insert_with(|| Sweeper::new(self.terms, self.now));
    }

    fn set_clock(&mut self, seconds: i64) {
        let is_seen = |replica: usize| self.replicas[replica].is_none() || self.has_seen_clock[replica];
        if is_seen(0) && is_seen(1) {
            self.wall += time::Duration::seconds(seconds);
            self.has_seen_clock = [false; 2];
        }
    }

    fn sweep(&mut self, replica: usize) {
        let Some(sweeper) = &mut self.replicas[replica] else { return };
        self.has_seen_clock[replica] = true;
        let outcome = self.registry.sweep(sweeper, self.wall, self.now);
        if outcome.reply.1.verdict() == Verdict::Preserve {
            self.witness.seen.insert("expiry was put off");
        }
        self.write_swept(&outcome.changes);
        self.witness.told(&outcome.events, &self.terms, self.now);
        for event in &outcome.events {
            self.supervise(event);
        }
    }

    fn write_swept(&mut self, changes: &[Change]) {
        for change in changes {
            let id = match change {
                Change::Lease { id, .. } | Change::Describe { id, .. } | Change::Forget(id) => id,
                Change::Command(command) => &command.service,
                Change::Insert(new) => &new.id,
            };
            let key = self.rows.key_of(id).unwrap();
            self.rows.write(&key, std::slice::from_ref(change));
        }
    }

    /// What the gateway does when it hears that a child must end.
    fn supervise(&mut self, event: &Event) {
        let Happening::MustEnd { command, action } = &event.what else { return };
        let Some(child) = self.find_alive(&event.service_id) else { return };
        self.children[child].is_alive = false;
        let (_, generation) = self.children[child].holds.clone().unwrap();
        self.witness.carried_out(command, event.generation, generation);
        if *action == Action::Restart {
            self.replace(child);
        }
    }

    pub(super) fn find_alive(&self, id: &ServiceId) -> Option<usize> {
        self.children.iter().position(|child| child.is_alive && child.id() == Some(id))
    }

    fn note<R>(&mut self, key: &SlotKey, outcome: Outcome<R>) -> R {
        self.rows.write(key, &outcome.changes);
        self.witness.told(&outcome.events, &self.terms, self.now);
        outcome.reply
    }

    fn choose(&self, choice: u8, is_meant: impl Fn(&Child) -> bool) -> Option<usize> {
        let candidates: Vec<_> = (0..self.children.len()).filter(|child| is_meant(&self.children[*child])).collect();
        usize::from(choice).checked_rem(candidates.len()).map(|index| candidates[index])
    }
}
