//! What people do in a workspace: apps, AI services, agents, conversations, and what agents draw on: silos, repositories and
//! their folders, embedding services.
//!
//! [`Workspace`] is the use cases. Each takes a proof of permission first, checks what the caller sent against the rules of
//! `omni-domain` and against what it refers to, and stores it. How a request looks on the wire and how a row looks in the
//! database are other crates' business.

mod agents;
mod ai_services;
mod api_keys;
mod apps;
mod audit;
mod collaborations;
mod conversations;
mod embedding_services;
mod error;
mod first_start;
mod folders;
mod provider;
mod repositories;
mod silos;
mod workspace;

pub use apps::UsageReport;
pub use conversations::{History, MOST_TEXT};
pub use error::WorkspaceError;
pub use workspace::{AI_SERVICE_KEY, EMBEDDING_SERVICE_KEY, Workspace};
