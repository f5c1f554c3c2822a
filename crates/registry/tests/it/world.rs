//! A registry with a clock that the test moves.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use omni_domain::{Entropy, Timestamp};
use omni_registry::{
    Action, Command, Event, Generation, Heartbeat, HeartbeatReply, InMemoryRegistry, NodeId, Order, Outcome, Phase,
    Pid, Process, ProcessStart, Profile, Reason, RegisterReply, Registration, RegistryError, Seq, ServiceId,
    ServiceName, ServiceState, ServiceType, SlotKey, SpawnToken, Status, Sweeper, Swept, Terms, Verdict,
};
use time::macros::datetime;

/// A generator that never gives the same bytes twice and always gives the same sequence.
#[derive(Debug, Default)]
pub(crate) struct Counting(AtomicU64);

impl Entropy for Counting {
    fn fill(&self, bytes: &mut [u8]) {
        let mut state = self.0.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        for byte in bytes {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            *byte = state.to_be_bytes()[0];
        }
    }
}

pub(crate) struct World {
    pub(crate) registry: InMemoryRegistry,
    pub(crate) sweeper: Sweeper,
    pub(crate) terms: Terms,
    pub(crate) now: Timestamp,
    pub(crate) monotonic: Duration,
    pub(crate) entropy: Counting,
    told: Vec<Event>,
}

impl World {
    /// A registry that has been swept for long enough to trust its clocks.
    pub(crate) fn new() -> Self {
        Self::of(1000)
    }

    pub(crate) fn of(capacity: usize) -> Self {
        let terms = Terms::default();
        let mut world = Self {
            registry: InMemoryRegistry::new(terms, capacity),
            sweeper: Sweeper::new(terms, Duration::ZERO),
            terms,
            now: datetime!(2026-03-01 12:00 UTC),
            monotonic: Duration::ZERO,
            entropy: Counting::default(),
            told: Vec::new(),
        };
        world.pass(60);
        world
    }

    pub(crate) fn register(&mut self, key: &SlotKey, registration: Registration) -> RegisterReply {
        self.try_register(key, registration).unwrap()
    }

    pub(crate) fn try_register(
        &mut self,
        key: &SlotKey,
        registration: Registration,
    ) -> Result<RegisterReply, RegistryError> {
        let outcome = self.registry.register(key, registration, self.now, &self.entropy)?;
        Ok(self.note(outcome))
    }

    /// Registers and expects to be taken.
    pub(crate) fn enter(&mut self, key: &SlotKey, registration: Registration) -> (ServiceId, Generation) {
        match self.register(key, registration) {
            RegisterReply::Accepted { service, generation, .. } => (service, generation),
            refused => panic!("{refused:?}"),
        }
    }

    pub(crate) fn beat(&mut self, id: &ServiceId) -> HeartbeatReply {
        self.say(id, &Heartbeat::new(Status::Healthy))
    }

    pub(crate) fn beat_number(&mut self, id: &ServiceId, seq: i64, status: Status) -> HeartbeatReply {
        self.say(id, &Heartbeat { seq: Some(Seq::new(seq).unwrap()), ..Heartbeat::new(status) })
    }

    pub(crate) fn say(&mut self, id: &ServiceId, beat: &Heartbeat) -> HeartbeatReply {
        let outcome = self.registry.heartbeat(id, beat, self.now);
        self.note(outcome)
    }

    pub(crate) fn leave(&mut self, id: &ServiceId, reason: &str) -> omni_registry::DeregisterReply {
        let outcome = self.registry.deregister(id, Reason::new(reason), self.now);
        self.note(outcome)
    }

    pub(crate) fn order(&mut self, id: &ServiceId, action: Action) -> Result<Command, RegistryError> {
        let outcome = self.registry.issue(id, Order::new(action), self.now, &self.entropy)?;
        Ok(self.note(outcome))
    }

    /// Lets time pass, with a sweep every five seconds, and nobody beating.
    pub(crate) fn pass(&mut self, seconds: u64) -> Swept {
        let mut total = Swept::default();
        for second in 1..=seconds {
            self.wait(1);
            if second % 5 == 0 {
                total += self.sweep().0;
            }
        }
        total
    }

    /// Lets time pass, with a sweep every five seconds and a beat of each of these every ten.
    pub(crate) fn pass_beating(&mut self, seconds: u64, beating: &[ServiceId]) -> Swept {
        let mut total = Swept::default();
        for second in 1..=seconds {
            self.wait(1);
            if second % 10 == 0 {
                for id in beating {
                    self.beat(id);
                }
            }
            if second % 5 == 0 {
                total += self.sweep().0;
            }
        }
        total
    }

    /// Lets time pass without a sweep.
    pub(crate) fn wait(&mut self, seconds: u64) {
        self.now += Duration::from_secs(seconds);
        self.monotonic += Duration::from_secs(seconds);
    }

    pub(crate) fn sweep(&mut self) -> (Swept, Verdict) {
        let outcome = self.registry.sweep(&mut self.sweeper, self.now, self.monotonic);
        let (swept, licence) = self.note(outcome);
        (swept, licence.verdict())
    }

    fn note<R>(&mut self, outcome: Outcome<R>) -> R {
        self.told.extend(outcome.events);
        outcome.reply
    }

    /// What has been told since the last time that somebody asked.
    pub(crate) fn told(&mut self) -> Vec<&'static str> {
        self.events().iter().map(Event::name).collect()
    }

    pub(crate) fn events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.told)
    }

    pub(crate) fn phase(&self, id: &ServiceId) -> Phase {
        self.registry.find(id).unwrap().lease.phase
    }

    pub(crate) fn state(&self, key: &SlotKey, id: &ServiceId) -> ServiceState {
        let slot = self.registry.slot(key).unwrap();
        slot.state_of(slot.find(id).unwrap())
    }
}

pub(crate) fn slot(name: &str) -> SlotKey {
    SlotKey { node: NodeId::new("attic").unwrap(), name: ServiceName::new(name).unwrap() }
}

/// A channel that its parent has spawned with a token.
pub(crate) fn channel(token: &str) -> Registration {
    spawned(ServiceType::Channel, token, 100)
}

pub(crate) fn worker(token: &str) -> Registration {
    spawned(ServiceType::Worker, token, 100)
}

pub(crate) fn spawned(service_type: ServiceType, token: &str, pid: i64) -> Registration {
    let token = SpawnToken::new(&format!("{token:-<16}")).unwrap();
    let process = Process { pid: Pid::new(pid).unwrap(), token: Some(token), started: None };
    Registration { service_type, process, profile: Profile::default() }
}

/// A channel that knows no more than its pid, and perhaps when it began.
pub(crate) fn plain(pid: i64, started: Option<&str>) -> Registration {
    let started = started.map(|started| ProcessStart::new(started).unwrap());
    let process = Process { pid: Pid::new(pid).unwrap(), token: None, started };
    Registration { service_type: ServiceType::Channel, process, profile: Profile::default() }
}

pub(crate) fn actions(reply: &HeartbeatReply) -> Vec<Action> {
    match reply {
        HeartbeatReply::Known { commands } => commands.iter().map(|command| command.action).collect(),
        other => panic!("{other:?}"),
    }
}

pub(crate) fn nothing_to_do() -> HeartbeatReply {
    HeartbeatReply::Known { commands: Vec::new() }
}
