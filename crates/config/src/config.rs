use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ipnet::IpNet;
use secrecy::SecretString;
use url::Url;

use crate::environment::unknown_variables;
use crate::reader::Reader;
use crate::report::redacted_report;
use crate::table::{
    API_URL, AUDIT_RETENTION_DAYS, CHANNEL_CONNECTIONS, CHANNEL_HEALTH_TIMEOUT, CHANNEL_START_DELAY, CONTROL_ADDR,
    DATA_DIR, DATABASE_CONNECTIONS, DATABASE_URL, EGRESS_ALLOW, HTTP_ADDR, LOG_FORMAT, LOG_LEVEL, MAX_UPLOAD_MB,
    MODEL_FIRST_BYTE_TIMEOUT, MODEL_IDLE_TIMEOUT, MODEL_TOTAL_TIMEOUT, NATS_URL, OMNIADMINS, PUBLIC_URL,
    QDRANT_API_KEY, QDRANT_URL, SECRET_KEY_FILE, SESSION_HOURS, SESSION_IDLE_MINUTES, SETTINGS, SHUTDOWN_GRACE,
    TRUSTED_PROXIES,
};
use crate::{Auth, ConfigError, ControlLocality, DataDir, Environment, LogFormat, Warning, log, values};

/// Everything that can be set, checked. `docs/configuration.md` says what each means; `Debug` shows no secret.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where the workspace and public API and the console are served.
    pub http_addr: SocketAddr,
    /// Where the control plane is served; always loopback.
    pub control_addr: SocketAddr,
    /// Whom the control plane answers.
    pub control_locality: ControlLocality,
    /// Where the gateway finds the control plane.
    pub api_url: Url,
    /// What people type to reach Omni: an origin without a path.
    pub public_url: Option<Url>,
    /// The proxies whose word is taken for where a request comes from.
    pub trusted_proxies: Vec<IpNet>,
    /// Everything that is kept.
    pub data_dir: DataDir,
    /// The key that seals secrets at rest.
    pub secret_key_file: PathBuf,
    /// PostgreSQL; `None` means the embedded one. May carry a password.
    pub database_url: Option<SecretString>,
    /// How many connections to PostgreSQL the process keeps open at most; at least one.
    pub database_connections: usize,
    /// One or more NATS servers with commas between; `None` means the embedded one. May carry a password.
    pub nats_url: Option<SecretString>,
    /// The most bytes of one uploaded file.
    pub max_upload: u64,
    /// A Qdrant server, if there is one.
    pub qdrant_url: Option<Url>,
    /// The key that it asks for.
    pub qdrant_api_key: Option<SecretString>,
    /// How people sign in.
    pub auth: Auth,
    /// E-mail addresses, in lower case, of those who outrank everybody.
    pub omniadmins: Vec<String>,
    /// How long a session lasts after sign-in.
    pub session_lifetime: Duration,
    /// How long a session lasts that nobody uses.
    pub session_idle: Duration,
    /// How long the audit trail keeps what was done; `None` for ever.
    pub audit_retention: Option<Duration>,
    /// The private addresses that outgoing requests may reach, as they were written: the egress adapter knows the rules.
    pub egress_allow: String,
    /// How long a model may take.
    pub model_deadlines: ModelDeadlines,
    /// How channels are started.
    pub channel_startup: ChannelStartup,
    /// What is logged: levels in the form of `tracing` filters.
    pub log_level: String,
    /// How log lines look.
    pub log_format: LogFormat,
    /// How long requests under way may go on once the process is asked to stop.
    pub shutdown_grace: Duration,
}

/// How long a model may take to answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ModelDeadlines {
    /// Until the first byte.
    pub first_byte: Duration,
    /// Between two pieces.
    pub idle: Duration,
    /// For the whole answer.
    pub total: Duration,
}

/// How channels are started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChannelStartup {
    /// The pause between two starts.
    pub delay: Duration,
    /// How many instances connect at once at most.
    pub connections: u32,
    /// How long one may take until it is healthy.
    pub health_timeout: Duration,
}

/// A configuration that can be used, and what is to be said about it.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The configuration.
    pub config: Config,
    /// What does not stop the program but is most likely not what was meant. Log them.
    pub warnings: Vec<Warning>,
    report: String,
}

impl Loaded {
    /// What `--check-config` prints: every setting, its value (no secret) and where it came from, one a line.
    #[must_use]
    pub fn redacted_report(&self) -> &str {
        &self.report
    }
}

impl Config {
    /// Reads and checks all settings: from `environment`, else from the TOML `file`, else the default.
    ///
    /// # Errors
    /// A [`ConfigError`] with every problem there is; the program ends with [`ConfigError::EXIT_CODE`].
    pub fn load(file: Option<&Path>, environment: &impl Environment) -> Result<Loaded, ConfigError> {
        let mut reader = Reader::read(file, environment)?;
        match Self::read(&mut reader) {
            Some(config) if !reader.has_problems() => Ok(Loaded {
                config,
                warnings: unknown_variables(environment),
                report: redacted_report(&reader, SETTINGS),
            }),
            _ => Err(ConfigError::new(reader.into_problems())),
        }
    }

    /// Reads everything before it gives up on anything, so that all problems come out.
    fn read(reader: &mut Reader) -> Option<Self> {
        let http_addr = reader.required(&HTTP_ADDR, values::address);
        let control_addr = reader.required(&CONTROL_ADDR, values::loopback_address);
        if http_addr == control_addr && http_addr.is_some_and(|address| address.port() != 0) {
            reader.refuse(&CONTROL_ADDR, CONTROL_ADDR.form);
        }
        let control_locality = ControlLocality::read(reader);
        let api_url = reader.required(&API_URL, values::web_url);
        let public_url = reader.optional(&PUBLIC_URL, values::origin);

        let trusted_proxies = reader.list(&TRUSTED_PROXIES, values::network);

        let data_dir = reader.required(&DATA_DIR, DataDir::parse);
        if let Some(data_dir) = &data_dir {
            reader.derive(&SECRET_KEY_FILE, data_dir.keys().join("master.key").display().to_string());
        }
        let secret_key_file = reader.optional(&SECRET_KEY_FILE, |value| Some(PathBuf::from(value)));
        let database_url = reader.optional(&DATABASE_URL, values::database_url);
        let database_connections = reader.number(&DATABASE_CONNECTIONS);
        let nats_url = reader.optional(&NATS_URL, values::nats_url);

        let max_upload_mb: Option<u64> = reader.number(&MAX_UPLOAD_MB);
        let qdrant_url = reader.optional(&QDRANT_URL, values::web_url);
        let qdrant_api_key = reader.optional(&QDRANT_API_KEY, values::secret);

        let auth = Auth::read(reader, http_addr, public_url.clone());
        let omniadmins = reader.list(&OMNIADMINS, values::email);
        let session_hours: Option<u32> = reader.number(&SESSION_HOURS);
        let session_idle_minutes: Option<u32> = reader.number(&SESSION_IDLE_MINUTES);

        let audit_retention_days: Option<u32> = reader.number(&AUDIT_RETENTION_DAYS);

        let egress_allow = reader.optional(&EGRESS_ALLOW, |value| Some(value.to_owned()));
        let model_deadlines = ModelDeadlines::read(reader);
        let channel_startup = ChannelStartup::read(reader);
        let log_level = reader.required(&LOG_LEVEL, log::directives);
        let log_format = reader.required(&LOG_FORMAT, LogFormat::parse);
        let shutdown_grace = reader.number(&SHUTDOWN_GRACE).map(Duration::from_secs);

        Some(Self {
            http_addr: http_addr?,
            control_addr: control_addr?,
            control_locality,
            api_url: api_url?,
            public_url,
            trusted_proxies,
            data_dir: data_dir?,
            secret_key_file: secret_key_file?,
            database_url,
            database_connections: database_connections?,
            nats_url,
            max_upload: max_upload_mb?.saturating_mul(1_000_000),
            qdrant_url,
            qdrant_api_key,
            auth: auth?,
            omniadmins,
            session_lifetime: Duration::from_secs(3_600) * session_hours?,
            session_idle: Duration::from_secs(60) * session_idle_minutes?,
            audit_retention: Some(Duration::from_secs(86_400) * audit_retention_days?).filter(|days| !days.is_zero()),
            egress_allow: egress_allow.unwrap_or_default(),
            model_deadlines: model_deadlines?,
            channel_startup: channel_startup?,
            log_level: log_level?,
            log_format: log_format?,
            shutdown_grace: shutdown_grace?,
        })
    }
}

impl ChannelStartup {
    fn read(reader: &mut Reader) -> Option<Self> {
        let delay = reader.number(&CHANNEL_START_DELAY).map(Duration::from_millis);
        let connections = reader.number(&CHANNEL_CONNECTIONS);
        let health_timeout = reader.number(&CHANNEL_HEALTH_TIMEOUT).map(Duration::from_millis);
        Some(Self { delay: delay?, connections: connections?, health_timeout: health_timeout? })
    }
}

impl ModelDeadlines {
    fn read(reader: &mut Reader) -> Option<Self> {
        let first_byte = reader.number(&MODEL_FIRST_BYTE_TIMEOUT).map(Duration::from_secs);
        let idle = reader.number(&MODEL_IDLE_TIMEOUT).map(Duration::from_secs);
        let total = reader.number(&MODEL_TOTAL_TIMEOUT).map(Duration::from_secs);
        Some(Self { first_byte: first_byte?, idle: idle?, total: total? })
    }
}
