use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize, Serializer};
use utoipa::ToSchema;

/// What a program that the gateway starts has to know. It holds secrets, and goes to this machine only.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct SubprocessConfig {
    /// PostgreSQL.
    pub database: SubprocessDatabase,
    /// NATS.
    pub nats: SubprocessNats,
    /// What proves that a service belongs here.
    pub auth: SubprocessAuth,
    /// How to log.
    pub logging: SubprocessLogging,
    /// Where to keep things.
    pub paths: SubprocessPaths,
    /// What this installation does.
    pub features: SubprocessFeatures,
}

/// How PostgreSQL is reached.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SubprocessDatabase {
    /// Its URL, password included.
    #[serde(serialize_with = "exposed")]
    #[schema(value_type = String)]
    pub connection_uri: SecretString,
    /// Always `postgresql`.
    pub provider: String,
    /// How many connections one process may keep open.
    pub max_connections: usize,
}

/// How NATS is reached.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct SubprocessNats {
    /// Its URL, or several with commas between, credentials included.
    #[serde(serialize_with = "exposed")]
    #[schema(value_type = String)]
    pub url: SecretString,
    /// The user that the first URL names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The password that the first URL holds.
    #[serde(default, skip_serializing_if = "Option::is_none", serialize_with = "exposed_if_any")]
    #[schema(value_type = Option<String>)]
    pub password: Option<SecretString>,
    /// Whether the first URL demands TLS.
    pub tls: bool,
}

/// What proves that a service belongs to this installation.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SubprocessAuth {
    /// The shared key. Each data folder has one, and keeps it.
    #[serde(serialize_with = "exposed")]
    #[schema(value_type = String)]
    pub internal_api_key: SecretString,
}

/// How to log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SubprocessLogging {
    /// `debug`, `info`, `warn` or `error`.
    pub level: String,
    /// `json` or `pretty`.
    pub format: String,
}

/// Folders, as absolute paths.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SubprocessPaths {
    /// Everything that is kept.
    pub data_dir: String,
    /// The logins of channels.
    pub auth_dir: String,
    /// What channels sent and received besides text.
    pub media_dir: String,
    /// Logs.
    pub logs_dir: String,
}

/// What this installation does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SubprocessFeatures {
    /// Whether media are processed.
    pub media_processing: bool,
    /// Whether messages of channels go to agents.
    pub agent_routing: bool,
    /// Whether it is checked who may write to a channel.
    pub access_control: bool,
}

fn exposed<S: Serializer>(secret: &SecretString, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(secret.expose_secret())
}

fn exposed_if_any<S: Serializer>(secret: &Option<SecretString>, serializer: S) -> Result<S::Ok, S::Error> {
    match secret {
        Some(secret) => exposed(secret, serializer),
        None => serializer.serialize_none(),
    }
}

impl fmt::Display for SubprocessFeatures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let features = [
            (self.media_processing, "media processing"),
            (self.agent_routing, "agent routing"),
            (self.access_control, "access control"),
        ];
        let on: Vec<_> = features.into_iter().filter_map(|(is_on, name)| is_on.then_some(name)).collect();
        f.write_str(&if on.is_empty() { "none".to_owned() } else { on.join(", ") })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_reach_the_wire_and_no_log() {
        let nats = SubprocessNats {
            url: "nats://omni:hunter2@localhost".into(),
            user: Some("omni".into()),
            password: Some("hunter2".into()),
            tls: false,
        };
        assert!(!format!("{nats:?}").contains("hunter2"));
        let sent = serde_json::to_value(&nats).unwrap();
        assert_eq!(sent["password"], "hunter2");
        let read: SubprocessNats = serde_json::from_value(sent).unwrap();
        assert_eq!(read.url.expose_secret(), nats.url.expose_secret());
    }
}
