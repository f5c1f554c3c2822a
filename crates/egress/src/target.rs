//! Checking a URL before anything is resolved or connected.

use std::net::IpAddr;

use url::{Host, Url};

use crate::{address::globally_reachable, allow::Allow, error::EgressError, ports::never_http};

/// Checks all that a URL says by itself and answers with its port. A name in it is checked when it is resolved.
///
/// The `url` crate has read the host as a browser would: an IPv4 address in octal, hexadecimal, short or full-width form
/// is an IPv4 address here, and the same parsed URL is what gets connected to.
pub(crate) fn check(allow: &Allow, url: &Url) -> Result<u16, EgressError> {
    let invalid = |problem| EgressError::Url { problem };
    if !matches!(url.scheme(), "http" | "https") {
        return Err(invalid("it is neither http nor https"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(invalid("it holds a user name or a password"));
    }
    let (Some(host), Some(port)) = (url.host(), url.port_or_known_default()) else {
        return Err(invalid("it names no host"));
    };
    if let Host::Domain(name) = host
        && (name.is_empty() || name.ends_with('.'))
    {
        return Err(invalid("its host name is empty or ends in a dot"));
    }
    if never_http(port) && !allow.names(&host, port) {
        return Err(invalid("its port belongs to another protocol than HTTP"));
    }
    let literal: IpAddr = match host {
        Host::Domain(_) => return Ok(port),
        Host::Ipv4(ip) => ip.into(),
        Host::Ipv6(ip) => ip.into(),
    };
    if globally_reachable(literal) || allow.permits(None, literal, Some(port)) {
        Ok(port)
    } else {
        Err(EgressError::Refused { host: host.to_string() })
    }
}
