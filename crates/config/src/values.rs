//! From text to the types of [`Config`](crate::Config). Each answers `None` to what its setting does not allow.

use std::net::{IpAddr, SocketAddr};

use ipnet::IpNet;
use secrecy::SecretString;
use url::Url;

/// Whether only this machine can connect to it.
pub(crate) fn is_loopback(address: SocketAddr) -> bool {
    address.ip().to_canonical().is_loopback()
}

pub(crate) fn address(value: &str) -> Option<SocketAddr> {
    value.parse().ok()
}

pub(crate) fn loopback_address(value: &str) -> Option<SocketAddr> {
    address(value).filter(|address| is_loopback(*address))
}

/// An http or https URL that carries nothing but a place.
pub(crate) fn web_url(value: &str) -> Option<Url> {
    let url = Url::parse(value).ok()?;
    let plain = matches!(url.scheme(), "http" | "https")
        && url.has_host()
        && url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none();
    plain.then_some(url)
}

pub(crate) fn origin(value: &str) -> Option<Url> {
    web_url(value).filter(|url| url.path() == "/")
}

/// Kept as it was written: the issuer is compared letter by letter with the tokens, and [`Url`] would add a slash.
pub(crate) fn issuer(value: &str) -> Option<String> {
    web_url(value).map(|_| value.to_owned())
}

pub(crate) fn database_url(value: &str) -> Option<SecretString> {
    let rest = value.strip_prefix("postgres://").or_else(|| value.strip_prefix("postgresql://"))?;
    (!rest.is_empty()).then(|| value.into())
}

pub(crate) fn nats_url(value: &str) -> Option<SecretString> {
    let is_server = |server: &str| {
        Url::parse(server.trim()).is_ok_and(|url| matches!(url.scheme(), "nats" | "tls") && url.has_host())
    };
    value.split(',').all(is_server).then(|| value.into())
}

pub(crate) fn secret(value: &str) -> Option<SecretString> {
    Some(value.into())
}

/// A network, or one address.
pub(crate) fn network(value: &str) -> Option<IpNet> {
    value.parse().ok().or_else(|| value.parse::<IpAddr>().ok().map(IpNet::from))
}

pub(crate) fn email(value: &str) -> Option<String> {
    omni_domain::email("email", value).ok()
}
