use std::io::IsTerminal;

use omni_config::LogFormat;
use omni_domain::ErrorKind;
use thiserror::Error;
use tracing_subscriber::EnvFilter;

/// Why logging did not begin.
#[derive(Debug, Error)]
pub enum LogError {
    /// The level is no filter; `omni-config` lets none through that is not.
    #[error("the log level cannot be used")]
    Level(#[from] tracing_subscriber::filter::ParseError),
    /// Something logs already.
    #[error("something logs already")]
    Taken(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl LogError {
    /// The kind of failure: ours in every case.
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        ErrorKind::Internal
    }

    /// A stable word for logs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Level(_) => "log_level_unusable",
            Self::Taken(_) => "log_taken",
        }
    }
}

/// What libraries say below a warning, and what those say that report the same to us: heard only by who asks for it.
const QUIET: &str = "actix_server=warn,async_nats=off";

/// Begins to log to standard error: what `level` lets through (the words of `LOG_LEVEL`), as `format` says.
///
/// # Errors
/// [`LogError`].
pub fn begin_log(level: &str, format: LogFormat) -> Result<(), LogError> {
    let level = EnvFilter::try_new(format!("{QUIET},{level}"))?;
    let is_terminal = std::io::stderr().is_terminal();
    let lines = tracing_subscriber::fmt().with_env_filter(level).with_writer(std::io::stderr).with_target(true);
    let begun = if format.is_json(is_terminal) {
        lines.json().flatten_event(true).try_init()
    } else {
        lines.with_ansi(is_terminal).compact().try_init()
    };
    begun.map_err(LogError::Taken)
}
