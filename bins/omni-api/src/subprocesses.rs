//! The configuration of this process as the programs see it that the gateway starts.

use std::io::{self, IsTerminal};
use std::path::{Path, absolute};

use omni_config::{ChannelStartup, Config};
use omni_wire::control::{
    StartupOptions, SubprocessAuth, SubprocessConfig, SubprocessDatabase, SubprocessFeatures, SubprocessLogging,
    SubprocessNats, SubprocessPaths,
};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use crate::data_plane::Data;

/// What this version does with channels: nothing yet.
const FEATURES: SubprocessFeatures =
    SubprocessFeatures { media_processing: false, agent_routing: false, access_control: false };

pub(crate) fn subprocess_config(
    config: &Config,
    data: &Data,
    internal_key: SecretString,
) -> io::Result<SubprocessConfig> {
    let format = if config.log_format.is_json(io::stderr().is_terminal()) { "json" } else { "pretty" };
    Ok(SubprocessConfig {
        database: SubprocessDatabase {
            connection_uri: data.database_url.clone(),
            provider: "postgresql".to_owned(),
            max_connections: config.database_connections,
        },
        nats: nats(&data.nats_url),
        auth: SubprocessAuth { internal_api_key: internal_key },
        logging: SubprocessLogging { level: level(&config.log_level).to_owned(), format: format.to_owned() },
        paths: SubprocessPaths {
            data_dir: whole(config.data_dir.path())?,
            auth_dir: whole(&config.data_dir.auth())?,
            media_dir: whole(&config.data_dir.media())?,
            logs_dir: whole(&config.data_dir.logs())?,
        },
        features: FEATURES,
    })
}

pub(crate) fn startup_options(startup: ChannelStartup) -> StartupOptions {
    let milliseconds = |duration: std::time::Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    StartupOptions {
        delay_between_channels_ms: milliseconds(startup.delay),
        max_concurrent_connections: startup.connections,
        health_check_timeout_ms: milliseconds(startup.health_timeout),
    }
}

fn nats(urls: &SecretString) -> SubprocessNats {
    let first = urls.expose_secret().split(',').next().and_then(|url| Url::parse(url.trim()).ok());
    let user = first.as_ref().map(Url::username).filter(|user| !user.is_empty()).map(str::to_owned);
    let password = first.as_ref().and_then(Url::password).map(SecretString::from);
    SubprocessNats { url: urls.clone(), user, password, tls: first.is_some_and(|url| url.scheme() == "tls") }
}

/// The one level, of the contract's four, that is nearest to a filter for many parts.
fn level(directives: &str) -> &'static str {
    match directives.split(',').find(|directive| !directive.contains('=')) {
        Some("trace" | "debug") => "debug",
        Some("warn") => "warn",
        Some("error" | "off") => "error",
        Some(_) | None => "info",
    }
}

/// A folder as a program finds it that runs elsewhere.
fn whole(path: &Path) -> io::Result<String> {
    Ok(absolute(path)?.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_told_apart_and_stay_in_the_url() {
        let config = nats(&"tls://omni:hunter2@one:4222, nats://two:4222".into());
        assert_eq!(config.url.expose_secret(), "tls://omni:hunter2@one:4222, nats://two:4222");
        assert_eq!(config.user.as_deref(), Some("omni"));
        assert_eq!(config.password.as_ref().map(ExposeSecret::expose_secret), Some("hunter2"));
        assert!(config.tls);
        let plain = nats(&"nats://127.0.0.1:4222".into());
        assert!(plain.user.is_none() && plain.password.is_none() && !plain.tls);
    }

    #[test]
    fn a_filter_comes_to_one_level() {
        for (directives, word) in [
            ("info", "info"),
            ("trace", "debug"),
            ("omni_models=debug,warn", "warn"),
            ("off", "error"),
            ("a=off", "info"),
        ] {
            assert_eq!(level(directives), word, "{directives}");
        }
    }
}
