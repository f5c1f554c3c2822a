//! The workspace API, `/internal/*`: one file per endpoint, and [`ROUTES`], the table of them all.
//!
//! A handler parses nothing, decides nothing and knows no status code: what it reads, who may call it and what it answers
//! stand in its types, and what it does is one call of a use case. The five endpoints that every kind of thing in an app has
//! are written once, in `resource`.

mod admin;
mod agents;
mod ai_services;
mod api_keys;
mod apps;
mod audit;
mod auth;
mod collaboration;
mod conversations;
mod cookies;
mod domains;
mod embedding_services;
mod files;
mod folders;
mod ocr;
mod plane;
mod repositories;
mod resource;
mod server;
mod services;
mod silo_search;
mod silos;
mod table;
mod user;

pub use plane::WorkspaceApi;
pub use services::{Environment, Services};
pub use table::ROUTES;
