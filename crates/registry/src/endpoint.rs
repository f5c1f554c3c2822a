use std::fmt;
use std::num::NonZeroU16;

use omni_domain::Invalid;
use url::{Host, Url};

/// The longest URL of a health check, in bytes.
const LONGEST_URL: usize = 512;

/// A TCP port that a service listens on, from 1 to 65535.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Port(NonZeroU16);

/// Where a service can be asked for its health: an `http` or `https` URL on the service's own machine.
///
/// The host is written as a loopback address or as `localhost`, so that a registration can never point a probe anywhere
/// else. Whoever probes must follow no redirect, and reach `localhost` at 127.0.0.1 or ::1 without asking a resolver.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct HealthEndpoint(Url);

impl Port {
    /// Checks a port.
    ///
    /// # Errors
    /// When it is not from 1 to 65535; the field is `port`.
    pub fn new(number: i64) -> Result<Self, Invalid> {
        u16::try_from(number)
            .ok()
            .and_then(NonZeroU16::new)
            .map(Self)
            .ok_or_else(|| Invalid::new("port", "must be from 1 to 65535"))
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u16 {
        self.0.get()
    }
}

impl HealthEndpoint {
    /// Checks a URL.
    ///
    /// # Errors
    /// When it is not an `http` or `https` URL on a loopback host, names a user or port 0, or has over 512 characters;
    /// the field is `healthEndpoint`.
    pub fn new(text: &str) -> Result<Self, Invalid> {
        let refused = |problem: &str| Invalid::new("healthEndpoint", problem);
        if text.len() > LONGEST_URL {
            return Err(refused("must have at most 512 characters"));
        }
        let mut url = Url::parse(text).map_err(|error| refused(&format!("is no URL: {error}")))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(refused("must be an http or https URL"));
        }
        if !is_loopback(&url) {
            return Err(refused("must be on 127.0.0.1, [::1] or localhost"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(refused("must not name a user"));
        }
        if url.port() == Some(0) {
            return Err(refused("must not have port 0"));
        }
        url.set_fragment(None);
        Ok(Self(url))
    }

    /// The URL, in its canonical form.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The URL.
    #[must_use]
    pub const fn url(&self) -> &Url {
        &self.0
    }

    /// Whether it is on that port.
    pub(crate) fn is_on(&self, port: Port) -> bool {
        self.0.port_or_known_default() == Some(port.get())
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.to_canonical().is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

impl fmt::Display for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for HealthEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_every_way_to_write_this_machine() {
        for (written, canonical) in [
            ("http://127.0.0.1:9001/health", "http://127.0.0.1:9001/health"),
            ("http://LOCALHOST:9001", "http://localhost:9001/"),
            ("https://[::1]:9001/health?deep=1#top", "https://[::1]:9001/health?deep=1"),
            ("http://127.9.9.9/", "http://127.9.9.9/"),
            ("http://0x7f.1:80/", "http://127.0.0.1/"),
            ("http://[::ffff:127.0.0.1]:1/", "http://[::ffff:7f00:1]:1/"),
        ] {
            assert_eq!(HealthEndpoint::new(written).unwrap().as_str(), canonical);
        }
    }

    #[test]
    fn refuses_every_way_to_write_another() {
        let long = format!("http://127.0.0.1/{}", "a".repeat(600));
        for url in [
            "http://169.254.169.254/latest/meta-data",
            "http://10.0.0.1/",
            "http://0.0.0.0:9001/",
            "http://[::]/",
            "http://[::ffff:10.0.0.1]/",
            "http://example.com/",
            "http://localhost.example.com/",
            "http://127.0.0.1.example.com/",
            "http://localhost./",
            "http://evil.localhost/",
            "http://127.0.0.1@example.com/",
            "http://someone:secret@127.0.0.1/",
            "http://127.0.0.1:0/",
            "http://127.0.0.1:70000/",
            "file:///etc/passwd",
            "ftp://127.0.0.1/",
            "//127.0.0.1/",
            "127.0.0.1:9001",
            "/health",
            "",
            &long,
        ] {
            assert_eq!(HealthEndpoint::new(url).unwrap_err().field, "healthEndpoint", "{url}");
        }
    }

    #[test]
    fn a_port_is_from_1_to_65535() {
        assert_eq!(Port::new(1).unwrap().get(), 1);
        assert_eq!(Port::new(65_535).unwrap().get(), 65_535);
        for number in [0, -1, 65_536, i64::MAX] {
            assert_eq!(Port::new(number).unwrap_err().field, "port");
        }
    }
}
