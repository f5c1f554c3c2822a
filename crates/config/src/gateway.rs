use std::path::Path;

use url::Url;

use crate::environment::unknown_variables;
use crate::reader::Reader;
use crate::report::redacted_report;
use crate::setting::Setting;
use crate::table::{API_URL, DATA_DIR, LOG_FORMAT, LOG_LEVEL};
use crate::{ConfigError, DataDir, Environment, LogFormat, Warning, log, values};

/// What the gateway reads; everything else it is told by the control plane.
static READ: [&Setting; 4] = [&API_URL, &DATA_DIR, &LOG_LEVEL, &LOG_FORMAT];

/// What can be set for the gateway, checked. It may read the same file as `omni-api`, and looks at no more of it.
#[derive(Debug, Clone)]
pub struct GatewayConfig {
    /// Where the control plane is.
    pub api_url: Url,
    /// Everything that is kept; the logs are beside it.
    pub data_dir: DataDir,
    /// What is logged: levels in the form of `tracing` filters.
    pub log_level: String,
    /// How log lines look.
    pub log_format: LogFormat,
}

/// A gateway's configuration that can be used, and what is to be said about it.
#[derive(Debug, Clone)]
pub struct LoadedGateway {
    /// The configuration.
    pub config: GatewayConfig,
    /// What does not stop the program but is most likely not what was meant. Log them.
    pub warnings: Vec<Warning>,
    report: String,
}

impl LoadedGateway {
    /// What `--check-config` prints: every setting that the gateway reads, its value and where it came from, one a line.
    #[must_use]
    pub fn redacted_report(&self) -> &str {
        &self.report
    }
}

impl GatewayConfig {
    /// Reads and checks the gateway's settings: from `environment`, else from the TOML `file`, else the default.
    ///
    /// # Errors
    /// A [`ConfigError`] with every problem there is; the program ends with [`ConfigError::EXIT_CODE`].
    pub fn load(file: Option<&Path>, environment: &impl Environment) -> Result<LoadedGateway, ConfigError> {
        let mut reader = Reader::read(file, environment)?;
        match Self::read(&mut reader) {
            Some(config) if !reader.has_problems() => Ok(LoadedGateway {
                config,
                warnings: unknown_variables(environment),
                report: redacted_report(&reader, &READ),
            }),
            _ => Err(ConfigError::new(reader.into_problems())),
        }
    }

    fn read(reader: &mut Reader) -> Option<Self> {
        let api_url = reader.required(&API_URL, values::web_url);
        let data_dir = reader.required(&DATA_DIR, DataDir::parse);
        let log_level = reader.required(&LOG_LEVEL, log::directives);
        let log_format = reader.required(&LOG_FORMAT, LogFormat::parse);
        Some(Self { api_url: api_url?, data_dir: data_dir?, log_level: log_level?, log_format: log_format? })
    }
}
