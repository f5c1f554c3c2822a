//! The service registry: who runs, under which generation, and what they have been told, as a pure state machine.
//!
//! ```text
//!              register                beat              2 intervals of silence
//!   (nobody) ───────────► registered ───────► healthy ─┐ ────────────────────────► suspect ─┐
//!                              │              degraded │ ◄──────────────────────── (addressed)
//!                              │              unhealthy┘           beat                     │ 3 intervals
//!                              │                  │                                         ▼
//!                              │                  │  shutdown, restart                   expired ──┐
//!                              │                  ▼                                         ▲ │    │ beat, unless
//!                              │              draining ── ignored past its deadline: must_end │    │ replaced:
//!                              │                  │                                           │    └► back to live
//!              a newer incarnation │              │ deregister                                │
//!                  registers       ▼              ▼                                           ▼
//!                              superseded    deregistered                       forgotten after 7 days
//! ```
//!
//! A [`Slot`] is one name on one node, with its incarnations and their pending commands. Each transition
//! ([`Slot::register`], [`heartbeat`](Slot::heartbeat), [`deregister`](Slot::deregister), [`issue`](Slot::issue),
//! [`ack`](Slot::ack), [`sweep`](Slot::sweep)) looks at a slot and at the time it is given, and answers with an
//! [`Outcome`]: the reply, the rows to write ([`Change`]), and what happened ([`Event`]). It changes nothing itself. A store
//! loads a slot under lock, writes the changes and the events in one transaction, and thereby survives restarts and is
//! shared by replicas; [`InMemoryRegistry`] does the same in memory, for a program that needs no store.
//!
//! [`Sweeper`] decides when silence may be held against anyone, [`Terms`] how long a lease lasts, [`Fence`] keeps a
//! replaced process from writing, [`RegistryError`] is what can be refused. What holds whatever the network, the clocks
//! and the processes do:
//!
//! * a slot for one has at most one holder, and generations only rise;
//! * registering the same incarnation again changes neither its id nor its generation;
//! * a command reaches one generation only, however often it is repeated;
//! * whoever beats within two intervals keeps the lease; whoever falls silent loses it and is told of once;
//! * what has been superseded or deregistered never comes back.
//!
//! The crate does no I/O and asks no clock: it must not depend on a database, a web framework or a runtime.

mod beat;
mod capabilities;
mod command;
mod deregister;
mod due;
mod endpoint;
mod error;
mod event;
mod fence;
mod heartbeat;
mod identity;
mod ids;
mod incarnation;
mod issue;
mod lease;
mod memory;
mod metadata;
mod moment;
mod reason;
mod register;
mod registration;
mod slot;
mod slot_key;
mod sweep;
mod sweeper;
mod terms;
mod transition;
mod words;

pub use beat::{Heartbeat, Metrics, Seq, Status};
pub use capabilities::Capabilities;
pub use command::{Action, Command, CommandState, Order};
pub use deregister::DeregisterReply;
pub use due::Due;
pub use endpoint::{HealthEndpoint, Port};
pub use error::RegistryError;
pub use event::{Event, Happening};
pub use fence::{Fence, Fenced};
pub use heartbeat::HeartbeatReply;
pub use identity::{Pid, Process, ProcessStart, SpawnToken};
pub use ids::{CommandId, Generation, ServiceId};
pub use incarnation::Incarnation;
pub use issue::AckReply;
pub use lease::{Lease, Phase};
pub use memory::InMemoryRegistry;
pub use metadata::{Hints, Metadata};
pub use reason::Reason;
pub use register::Fresh;
pub use registration::{Profile, RegisterReply, Registration, ServiceType};
pub use slot::{ServiceState, Slot};
pub use slot_key::{NodeId, ServiceName, SlotKey};
pub use sweep::Swept;
pub use sweeper::{Census, SweepLicence, Sweeper, Verdict};
pub use terms::Terms;
pub use transition::{Change, Outcome};
pub use words::UnknownWord;
