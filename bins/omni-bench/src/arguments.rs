use std::path::PathBuf;

use clap::{Parser, ValueEnum};

/// Measures what omni-api promises. `cargo xtask bench` runs it with servers that nobody else uses.
#[derive(Debug, Parser)]
pub(crate) struct Arguments {
    /// What to measure; everything if nothing is named.
    promises: Vec<Promise>,
    /// Shorter and rougher.
    #[arg(long)]
    pub(crate) quick: bool,
    /// Measure this `omni-api` instead of building one.
    #[arg(long, value_name = "PROGRAM")]
    pub(crate) api: Option<PathBuf>,
    /// The PostgreSQL to work in, as a superuser; a database is made there and removed again.
    #[arg(long, env = "OMNI_BENCH_DATABASE_URL", hide_env_values = true)]
    pub(crate) database_url: String,
    /// The NATS that omni-api is given.
    #[arg(long, env = "OMNI_BENCH_NATS_URL", hide_env_values = true)]
    pub(crate) nats_url: String,
}

/// What can be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Promise {
    /// Signed-in `GET /internal/apps` against the same SQL in pgbench.
    Apps,
    /// The check of session and role against a request without one.
    Roles,
    /// A model's stream through a chat against the same stream read directly.
    Chat,
    /// Other requests while more streams run than there are database connections.
    Held,
    /// Finding passages through the API against the same SQL, and what the index finds.
    Knowledge,
    /// Files that are uploaded until they can be found, and other requests while they are hostile.
    Ingest,
    /// From start to ready, and memory.
    Start,
}

impl Arguments {
    pub(crate) fn promises(&self) -> &[Promise] {
        if self.promises.is_empty() { Promise::value_variants() } else { &self.promises }
    }
}
