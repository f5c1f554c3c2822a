//! Who is on this machine. A proxy on this machine has a loopback address, too, and a page in this machine's browser can
//! send requests here; so the socket's other end is asked first, and then everything that would give a stranger away.

use std::net::{IpAddr, SocketAddr};

use actix_web::http::header::{HeaderMap, HeaderName};
use omni_http::{AccessRule, ApiError, Described, Reach, Visit, is_loopback_host};
use url::{Host, Url};

use crate::{ControlApi, ControlPlane};

/// The code of the refusal.
pub(crate) const NOT_LOCAL: &str = "not_local";

/// Forwarding headers that tell how a request came, and not from whom.
const NAMES_NOBODY: [&str; 6] = ["proto", "protocol", "scheme", "port", "ssl", "prefix"];

/// For programs on this machine.
#[derive(Debug)]
pub enum Loopback {}

/// The proof that a request comes from this machine.
#[derive(Debug)]
pub struct Local(());

impl AccessRule<ControlApi> for Loopback {
    type Granted = Local;

    fn describe() -> Described {
        Described { lowest: None, reach: Reach::Nowhere }
    }

    async fn admit(_state: &ControlPlane, visit: &Visit) -> Result<Local, ApiError> {
        admit(visit)
    }
}

/// Lets in who is on this machine.
pub(crate) fn admit(visit: &Visit) -> Result<Local, ApiError> {
    if is_local(visit.peer(), visit.host(), visit.headers()) {
        return Ok(Local(()));
    }
    Err(ApiError::forbidden(NOT_LOCAL, "Internal endpoint - localhost only"))
}

fn is_local(peer: Option<SocketAddr>, host: Option<&str>, headers: &HeaderMap) -> bool {
    peer.is_some_and(|peer| peer.ip().to_canonical().is_loopback())
        && host.is_some_and(is_loopback_host)
        && headers.iter().all(|(name, value)| match value.to_str() {
            Ok(value) => gives_nobody_away(name, value),
            // What cannot be read may say anything.
            Err(_) => !is_looked_at(name),
        })
}

fn is_looked_at(name: &HeaderName) -> bool {
    matches!(name.as_str(), "host" | "origin" | "forwarded" | "x-real-ip") || name.as_str().starts_with("x-forwarded-")
}

/// Whether a header names nothing but this machine, or nothing at all.
fn gives_nobody_away(name: &HeaderName, value: &str) -> bool {
    match name.as_str() {
        "host" => is_loopback_host(value),
        "origin" => is_loopback_origin(value),
        "forwarded" => items(value, &[',', ';']).all(|pair| match pair.split_once('=') {
            Some((key, _)) if key.trim().eq_ignore_ascii_case("proto") => true,
            Some((_, node)) => is_this_machine(node),
            None => false,
        }),
        "x-real-ip" => items(value, &[',']).all(is_this_machine),
        name => match name.strip_prefix("x-forwarded-") {
            Some(what) if !NAMES_NOBODY.contains(&what) => items(value, &[',']).all(is_this_machine),
            _ => true,
        },
    }
}

fn items<'a>(list: &'a str, separators: &'a [char]) -> impl Iterator<Item = &'a str> {
    list.split(separators).map(str::trim).filter(|item| !item.is_empty())
}

/// Whether an address or a name, with or without a port, with or without quotes, is this machine's.
fn is_this_machine(node: &str) -> bool {
    let node = node.trim();
    let node = node.strip_prefix('"').and_then(|node| node.strip_suffix('"')).unwrap_or(node);
    match node.parse::<IpAddr>() {
        Ok(address) => address.to_canonical().is_loopback(),
        Err(_) => is_loopback_host(node),
    }
}

fn is_loopback_origin(origin: &str) -> bool {
    let Ok(url) = Url::parse(origin) else {
        return false;
    };
    matches!(url.scheme(), "http" | "https")
        && match url.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.to_canonical().is_loopback(),
            None => false,
        }
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;

    const HERE: &str = "127.0.0.1:5000";

    /// Whether a request is local that comes from `peer` and has these headers, the host's among them.
    fn is_let_in(peer: &str, headers: &[(&str, &str)]) -> bool {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(name.parse().unwrap(), HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        let host = headers.iter().find_map(|(name, value)| (*name == "host").then_some(*value));
        is_local(peer.parse().ok(), host, &map)
    }

    fn with(header: (&str, &str)) -> bool {
        is_let_in(HERE, &[("host", "localhost:8882"), header])
    }

    #[test]
    fn the_other_end_of_the_socket_must_be_here() {
        for (peer, local) in [
            ("127.0.0.1:5000", true),
            ("127.8.8.8:5000", true),
            ("[::1]:5000", true),
            ("[::ffff:127.0.0.1]:5000", true),
            ("10.0.0.1:5000", false),
            ("[::ffff:10.0.0.1]:5000", false),
            ("[fe80::1]:5000", false),
            ("0.0.0.0:5000", false),
            ("unknown", false),
        ] {
            assert_eq!(is_let_in(peer, &[("host", "localhost:8882")]), local, "{peer}");
        }
    }

    #[test]
    fn the_host_must_be_a_name_of_this_machine() {
        for (host, local) in [
            ("localhost", true),
            ("localhost:8882", true),
            ("127.0.0.1:8882", true),
            ("[::1]:8882", true),
            ("omni.example", false),
            ("localhost.example", false),
            ("10.0.0.1:8882", false),
            ("", false),
        ] {
            assert_eq!(is_let_in(HERE, &[("host", host)]), local, "{host}");
        }
        assert!(!is_let_in(HERE, &[]), "no host");
        assert!(!is_let_in(HERE, &[("host", "localhost"), ("host", "omni.example")]), "a second host");
    }

    #[test]
    fn no_forwarding_header_may_name_another_machine() {
        for (name, value, local) in [
            ("x-forwarded-for", "127.0.0.1", true),
            ("x-forwarded-for", "::1, 127.0.0.1", true),
            ("x-forwarded-for", "127.0.0.1:7000", true),
            ("x-forwarded-for", "", true),
            ("x-forwarded-for", "203.0.113.9", false),
            ("x-forwarded-for", "127.0.0.1, 203.0.113.9", false),
            ("x-forwarded-for", "203.0.113.9, 127.0.0.1", false),
            ("x-forwarded-for", "unknown", false),
            ("X-Forwarded-For", "203.0.113.9", false),
            ("x-forwarded-host", "localhost:8882", true),
            ("x-forwarded-host", "omni.example", false),
            ("x-forwarded-server", "proxy.example", false),
            ("x-forwarded-proto", "https", true),
            ("x-forwarded-port", "443", true),
            ("x-forwarded-anything", "omni.example", false),
            ("x-real-ip", "127.0.0.1", true),
            ("x-real-ip", "::ffff:127.0.0.1", true),
            ("x-real-ip", "203.0.113.9", false),
            ("forwarded", "for=127.0.0.1;proto=http;by=127.0.0.1", true),
            ("forwarded", "for=\"[::1]:4711\";host=localhost", true),
            ("forwarded", "for=203.0.113.9", false),
            ("forwarded", "For=\"[2001:db8::1]\"", false),
            ("forwarded", "for=127.0.0.1, for=203.0.113.9", false),
            ("forwarded", "for=127.0.0.1;host=omni.example", false),
            ("forwarded", "for=_hidden", false),
            ("forwarded", "nonsense", false),
            ("x-forwarded-for", "127.0.0.1\u{e9}", false),
        ] {
            assert_eq!(with((name, value)), local, "{name}: {value}");
        }
    }

    #[test]
    fn a_page_must_be_of_this_machine() {
        for (origin, local) in [
            ("http://localhost:8000", true),
            ("http://127.0.0.1:8882", true),
            ("https://[::1]", true),
            ("https://omni.example", false),
            ("http://localhost.example", false),
            ("file:///tmp/page.html", false),
            ("null", false),
            ("", false),
        ] {
            assert_eq!(with(("origin", origin)), local, "{origin}");
        }
    }

    #[test]
    fn other_headers_say_what_they_like() {
        assert!(with(("user-agent", "203.0.113.9")) && with(("x-request-id", "omni.example")));
        assert!(with(("x-comment", "caf\u{e9}")));
    }
}
