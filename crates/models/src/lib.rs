//! AI models behind one port for each kind, whoever serves them.
//!
//! [`Models`] gives them: [`Models::chat`] a [`ChatModel`], which takes a [`ChatRequest`] with texts and [`Image`]s and
//! streams [`ModelEvent`]s; [`Models::embedding`] an [`EmbeddingModel`], which turns texts into vectors; [`Models::rerank`] a
//! [`RerankModel`], which orders passages by how well they answer. A [`ModelTarget`] says which: a model at a [`Provider`],
//! or [`Provider::Local`], the models that are built in. They need no key, no weights and no network: the one answers with
//! what the conversation already holds, the other gives vectors of the words and letters of a text.
//!
//! What every provider has in common is written once, in `remote`: requests go out through `omni-egress`, bodies are read
//! under [`Deadlines`] and limits of size, an answer that breaks off is an error, and a dropped stream or future ends the
//! call. What differs is in `wire`, one file per format. `local` has the built-in models. What goes wrong is a
//! [`ModelError`], whose message tells the person who set the service up what to change.
//!
//! A token costs about a microsecond here: no task, no channel, one parse of the fields that matter.
//!
//! The crate must not depend on a database, on a web framework, or on who asks; it knows no agents and no apps.

mod chance;
mod chat;
mod deadlines;
mod embedding;
mod error;
mod image;
mod local;
mod models;
mod provider;
mod remote;
mod rerank;
mod target;
mod transcribe;
mod wire;

pub use chat::{ChatMessage, ChatModel, ChatRequest, ChatStream, FinishReason, ModelEvent, Passage, Role, Usage};
pub use deadlines::Deadlines;
pub use embedding::{EmbeddingModel, EmbeddingTarget, EmbeddingUsage, Embeddings, Purpose};
pub use error::{ModelError, WaitedFor};
pub use image::{Image, ImageProblem};
pub use models::Models;
pub use provider::Provider;
pub use rerank::{Ranked, RerankModel, RerankTarget};
pub use target::{ModelTarget, parse_base_url};
pub use transcribe::{Transcript, transcribe};
