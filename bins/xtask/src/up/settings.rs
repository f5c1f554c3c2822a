//! The settings that decide where everything is. The programs read the same variables; here they are read to tell the
//! person, and to know where to ask.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::Context;

use crate::{machine, probe};

/// How people sign in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum SignIn {
    /// As `OMNI_AUTH_MODE` or an issuer says.
    AsSet(String),
    /// Nothing is set, so this start chooses the mode that needs no provider. Nobody but `up` ever does.
    FakeByDefault,
}

/// Where everything is.
#[derive(Debug, Clone)]
pub(super) struct Settings {
    pub(super) http: SocketAddr,
    pub(super) control: SocketAddr,
    pub(super) data_dir: PathBuf,
    pub(super) sign_in: SignIn,
    pub(super) fake_user: String,
    pub(super) external_database: bool,
    pub(super) external_nats: bool,
    api_url: String,
}

impl Settings {
    pub(super) fn read(root: &Path) -> anyhow::Result<Self> {
        Self::from_variables(root, machine::text_variable)
    }

    fn from_variables(root: &Path, read: impl Fn(&str) -> anyhow::Result<Option<String>>) -> anyhow::Result<Self> {
        let address = |name, default: &str| -> anyhow::Result<SocketAddr> {
            let text = read(name)?.unwrap_or_else(|| default.to_owned());
            text.parse().with_context(|| format!("{name} is not an address with a port: {text}"))
        };
        let issuer = read("OMNI_OIDC_ISSUER")?.map(|_| "oidc".to_owned());
        let sign_in = read("OMNI_AUTH_MODE")?.or(issuer).map_or(SignIn::FakeByDefault, SignIn::AsSet);
        let control = address("OMNI_CONTROL_ADDR", "127.0.0.1:8882")?;
        Ok(Self {
            http: address("OMNI_HTTP_ADDR", "127.0.0.1:8000")?,
            control,
            data_dir: root.join(read("OMNI_DATA_DIR")?.unwrap_or_else(|| "data".to_owned())),
            sign_in,
            fake_user: read("OMNI_FAKE_USER")?.unwrap_or_else(|| "dev@example.com".to_owned()),
            external_database: read("DATABASE_URL")?.is_some(),
            external_nats: read("NATS_URL")?.is_some(),
            api_url: read("OMNI_API_URL")?.unwrap_or_else(|| format!("http://{}", probe::reachable(control))),
        })
    }

    pub(super) fn needs_data_plane(&self) -> bool {
        !(self.external_database && self.external_nats)
    }

    /// What the programs get on top of our own environment.
    pub(super) fn variables(&self) -> impl Iterator<Item = (&'static str, String)> {
        let fake = (self.sign_in == SignIn::FakeByDefault).then(|| ("OMNI_AUTH_MODE", "fake".to_owned()));
        [("OMNI_API_URL", self.api_url.clone())].into_iter().chain(fake)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(variables: &[(&str, &str)]) -> anyhow::Result<Settings> {
        let read = |name: &str| Ok(variables.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned()));
        Settings::from_variables(Path::new("/clone"), read)
    }

    fn auth_mode(variables: &[(&str, &str)]) -> Option<String> {
        settings(variables).unwrap().variables().find(|(name, _)| *name == "OMNI_AUTH_MODE").map(|(_, mode)| mode)
    }

    #[test]
    fn fake_mode_is_chosen_only_when_nothing_else_was() {
        assert_eq!(auth_mode(&[]).as_deref(), Some("fake"));
        assert_eq!(auth_mode(&[("OMNI_AUTH_MODE", "oidc")]), None);
        assert_eq!(auth_mode(&[("OMNI_OIDC_ISSUER", "https://id.example.com")]), None);
    }

    #[test]
    fn the_gateway_is_told_where_the_control_plane_is() {
        let api_url = |variables: &[_]| settings(variables).unwrap().variables().next().unwrap();
        assert_eq!(api_url(&[]), ("OMNI_API_URL", "http://127.0.0.1:8882".to_owned()));
        assert_eq!(api_url(&[("OMNI_CONTROL_ADDR", "0.0.0.0:99")]).1, "http://127.0.0.1:99");
        assert_eq!(api_url(&[("OMNI_API_URL", "http://api:1")]).1, "http://api:1");
    }

    #[test]
    fn the_data_plane_is_needed_unless_both_servers_are_given() {
        let (database, nats) = (("DATABASE_URL", "postgresql://db"), ("NATS_URL", "nats://bus"));
        assert!(settings(&[]).unwrap().needs_data_plane());
        assert!(settings(&[database]).unwrap().needs_data_plane());
        assert!(!settings(&[database, nats]).unwrap().needs_data_plane());
    }

    #[test]
    fn the_data_directory_is_in_the_clone_wherever_one_stands() {
        assert_eq!(settings(&[]).unwrap().data_dir, Path::new("/clone/data"));
        assert_eq!(settings(&[("OMNI_DATA_DIR", "/srv/omni")]).unwrap().data_dir, Path::new("/srv/omni"));
    }

    #[test]
    fn an_address_that_is_none_is_named() {
        let refusal = settings(&[("OMNI_HTTP_ADDR", "localhost")]).unwrap_err();
        assert_eq!(refusal.to_string(), "OMNI_HTTP_ADDR is not an address with a port: localhost");
    }
}
