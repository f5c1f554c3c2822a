//! The only place with SQL.
//!
//! [`Store`] is the database. What belongs to an app is read and written by methods that take a
//! [`Grant`](omni_rbac::Grant): the grant's app is the tenant filter, so an id of another app finds nothing. The kinds of
//! things that every app has share [`AppScoped`]: list, find and delete are written once.
//!
//! Behind the grants stands a second wall: a connection says whose rows it wants to see before its statements, and
//! PostgreSQL's row-level security shows it no others ([ADR 9](../../../docs/adr/0009-a-second-wall.md)).
//!
//! No method holds a connection across anything but its own statements, and none knows who is asking beyond the grant.
//! Rows are private to the crate; what leaves it are the entities of `omni-domain`.

mod accounts;
mod agents;
mod ai_services;
mod allowances;
mod api_keys;
mod app_scoped;
mod apps;
mod audit;
mod chunks;
mod collaborations;
mod connection;
mod conversations;
mod crawled_pages;
mod directory;
mod domain_urls;
mod domains;
mod embedding_services;
mod endings;
mod epochs;
mod error;
mod files;
mod folders;
mod forgotten;
mod history;
mod identities;
mod installation;
mod jobs;
mod keyed_services;
mod lanes;
mod migrate;
mod paged;
mod people;
mod pool;
mod refusals;
mod registry;
mod repositories;
mod retrievals;
mod schema;
mod search;
mod second_wall;
mod sessions;
mod setup;
mod sign_in_attempts;
mod silo_documents;
mod silo_models;
mod silo_settings;
mod silos;
mod statement;
mod turns;
mod usage;
mod vector_indexes;

pub use allowances::Allowance;
pub use app_scoped::AppScoped;
pub use chunks::{Home, NewChunk, NewChunks, Written};
pub use conversations::ConversationFilter;
pub use crawled_pages::{FoundUrl, PageText, PageVisit};
pub use domain_urls::{NewUrl, UrlFilter};
pub use endings::FinishedTurn;
pub use epochs::Unembedded;
pub use error::StoreError;
pub use files::{FileFilter, FilePatch, FileProgress, NewFile};
pub use forgotten::{ForgottenBlob, ForgottenPoints};
pub use history::Excerpt;
pub use identities::{Admission, Newcomer};
pub use jobs::{JobEnding, JobFilter, JobLease, JobProgress, LeaseStanding};
pub use keyed_services::{SealedKey, StoredKey};
pub use migrate::MigrationReport;
pub use pool::{Options, Store};
pub use refusals::{Refusals, StoreDirectory};
pub use registry::{Succession, SweptServices, Told};
pub use retrievals::Retrieval;
pub use search::{Candidate, Passage, Wanted};
pub use sessions::{NewSession, Way};
pub use setup::SetUp;
pub use sign_in_attempts::{NewAttempt, TakenAttempt};
pub use silo_documents::{Going, NewText};
pub use silo_models::EmbeddedSilo;
pub use turns::{NewTurn, OpenedTurn, Runner, TurnPlan, TurnRequest};
pub use vector_indexes::INDEXED_FROM;
