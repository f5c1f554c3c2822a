#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a set-up that fails is a failed test"
)]
//! What tests against the real thing are made with: a database each, the real API on a free port, people of every role,
//! and a clock that stands still until it is told otherwise.
//!
//! [`TestDatabase`] is a fresh database made from a migrated template, and gone when it is dropped. [`TestApi`] is
//! `omni-api` in this process over such a database, in FAKE mode. A [`Client`] is one person who is signed in; a [`Cast`]
//! has one of every role in one app, and somebody from next door. The servers behind all of it are those that
//! `cargo xtask test` started, or the first test starts them ([`TestPlane`]).
//!
//! For tests only: nothing that ships depends on it. It panics where a set-up fails.

mod answer;
mod api;
mod browser;
mod cast;
mod client;
mod clock;
mod connection;
mod database;
mod fake_qdrant;
mod forging_provider;
mod identity_provider;
mod mint;
mod plane;
mod raw;
mod snapshot;
mod stream;
mod wait;

pub use answer::Answer;
pub use api::{Issuer, KEY, TestApi, TestApiBuilder};
pub use browser::Browser;
pub use cast::{Actor, Cast};
pub use client::{Call, Client, PROVIDER_KEY};
pub use clock::{ManualClock, SeededEntropy};
pub use connection::Connection;
pub use database::TestDatabase;
pub use fake_qdrant::{FakeQdrant, Mishap, QdrantRequest};
pub use forging_provider::{ForgingKey, ForgingProvider, hmac_signed};
pub use identity_provider::IdentityProvider;
pub use mint::Mint;
pub use plane::TestPlane;
pub use raw::raw;
pub use snapshot::Snapshot;
pub use stream::{Event, Events};
pub use wait::{PATIENCE, eventually};
