//! What an operator can set, and the only place that reads it.
//!
//! A setting comes from the environment, else from the TOML file given with `--config`, else from its default. One table
//! in this crate says what there is; reading, [`reference_markdown`] and [`sample_toml`] all follow it, so nothing can be
//! read that is not documented. Loading checks everything before it answers, and reports every problem at once.
//!
//! Where to start: [`Config::load`] with [`process_environment`] (or, in a test, a map) gives [`Loaded`]: the [`Config`],
//! the warnings to log, and the report that `--check-config` prints. A [`ConfigError`] ends the program with
//! [`ConfigError::EXIT_CODE`]; wrong arguments are another matter and end it with 64.
//!
//! The crate knows no web framework, no database and no network, and no other crate than `omni-domain`: a value whose
//! rules belong to an adapter (the allow-list of outgoing requests) is handed on as it was written.

mod auth;
mod config;
mod data_dir;
mod documents;
mod environment;
mod error;
mod file;
mod gateway;
mod locality;
mod log;
mod reader;
mod report;
mod setting;
mod spelling;
mod table;
mod values;

pub use auth::{Auth, OidcEmails};
pub use config::{ChannelStartup, Config, Loaded, ModelDeadlines};
pub use data_dir::DataDir;
pub use documents::{reference_markdown, sample_toml};
pub use environment::{Environment, process_environment};
pub use error::{ConfigError, Problem, Warning};
pub use gateway::{GatewayConfig, LoadedGateway};
pub use locality::ControlLocality;
pub use log::LogFormat;
