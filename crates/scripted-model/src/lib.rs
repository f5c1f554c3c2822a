//! A model server that does what a test or a benchmark tells it to.
//!
//! It speaks the wire formats of OpenAI (also at Azure's paths; Mistral's is the same), Anthropic, Gemini and Ollama, to
//! chat and for vectors, and the format of rerankers. It answers by [`Script`]: so many tokens at such a pace, vectors of so
//! many dimensions, an error, a hang, a cut connection. A script is chosen by
//! the request's model name ([`Script::named`]), so that a server in another process needs no other control, or is given
//! to [`ScriptedModel::script`]. The server keeps the requests it got ([`ScriptedModel::requests`]) and counts how each
//! ended ([`ScriptedModel::until`]), a client that left in mid-answer included.
//!
//! It has to stay far cheaper than what it measures, therefore the HTTP is written by hand: frames are rendered before
//! the first token is due, and a token is one timer and one write.
//!
//! For tests and benchmarks only: it depends on no other crate of the workspace, and nothing that ships depends on it.

mod connection;
mod document;
mod http;
mod play;
mod record;
mod script;
mod server;
mod wire;

pub use record::{NotSeen, RecordedRequest, Tally};
pub use script::{Ending, Finish, Flaw, Refusal, Script, Words};
pub use server::ScriptedModel;
