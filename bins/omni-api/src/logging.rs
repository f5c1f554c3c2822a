use std::io::IsTerminal;

use omni_config::Config;
use tracing_subscriber::EnvFilter;

use crate::Misconfigured;

/// Begins to log to standard error, as the configuration says.
///
/// # Errors
/// If the level makes no sense, or something logs already.
pub(crate) fn begin(config: &Config) -> anyhow::Result<()> {
    let level = EnvFilter::try_new(&config.log_level).map_err(|error| Misconfigured(format!("LOG_LEVEL: {error}")))?;
    let is_terminal = std::io::stderr().is_terminal();
    let lines = tracing_subscriber::fmt().with_env_filter(level).with_writer(std::io::stderr).with_target(true);
    let begun = if config.log_format.is_json(is_terminal) {
        lines.json().flatten_event(true).try_init()
    } else {
        lines.with_ansi(is_terminal).compact().try_init()
    };
    begun.map_err(|error| anyhow::anyhow!("logging cannot begin: {error}"))
}
