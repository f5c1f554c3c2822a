//! Chat models behind one port, whoever serves them.
//!
//! [`ChatModel`] is the port: it takes a [`ChatRequest`] and streams [`ModelEvent`]s. [`Models::chat`] gives one for a
//! [`ModelTarget`]: a model at a [`Provider`], or [`Provider::Local`], the model that is built in. It needs no key, no
//! weights and no network, and answers with what the conversation already holds.
//!
//! What every provider has in common is written once, in `remote`: the request goes out through `omni-egress`, the body
//! is read as it arrives under [`Deadlines`] and limits of size, an answer that breaks off is an error, and a dropped
//! stream ends the call. What differs is in `wire`, one file per format. `local` is the built-in model. What goes wrong
//! is a [`ModelError`], whose message tells the person who set the service up what to change.
//!
//! A token costs about a microsecond here: no task, no channel, one parse of the fields that matter.
//!
//! The crate must not depend on a database, on a web framework, or on who asks; it knows no agents and no apps.

mod chat;
mod deadlines;
mod error;
mod local;
mod models;
mod provider;
mod remote;
mod target;
mod wire;

pub use chat::{ChatMessage, ChatModel, ChatRequest, ChatStream, FinishReason, ModelEvent, Passage, Role, Usage};
pub use deadlines::Deadlines;
pub use error::{ModelError, WaitedFor};
pub use models::Models;
pub use provider::Provider;
pub use target::{ModelTarget, parse_base_url};
