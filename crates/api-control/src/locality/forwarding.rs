//! What proxies add to a request: whom they forward it for. A proxy on this machine has a loopback address itself, so these
//! headers are all that gives away a stranger behind it. They can be forged, and then only against the forger.

use std::net::IpAddr;

use actix_web::http::header::HeaderName;
use omni_http::is_loopback_host;

/// Headers of single products that carry the client's address as `X-Real-IP` does.
const CLIENT_ADDRESSES: [&str; 13] = [
    "x-real-ip",
    "client-ip",
    "true-client-ip",
    "x-client-ip",
    "x-cluster-client-ip",
    "x-original-forwarded-for",
    "x-originating-ip",
    "x-remote-addr",
    "x-remote-ip",
    "cf-connecting-ip",
    "fastly-client-ip",
    "fly-client-ip",
    "x-envoy-external-address",
];

/// What ends the name of an `X-Forwarded-…` header that tells how a request came, and not from whom.
const NAMES_NOBODY: [&str; 6] = ["proto", "protocol", "scheme", "port", "ssl", "prefix"];

/// Whether only forwarded requests have this header.
pub(super) fn is_forwarding(name: &HeaderName) -> bool {
    let name = name.as_str();
    matches!(name, "forwarded" | "via") || name.starts_with("x-forwarded") || CLIENT_ADDRESSES.contains(&name)
}

/// Whether a header says that the request was forwarded for somebody who is not on this machine, or for somebody whom it
/// hides.
pub(super) fn names_a_stranger(name: &HeaderName, value: &str) -> bool {
    let everybody_is_here = match name.as_str() {
        "forwarded" => items(value, &[',', ';']).all(is_harmless_pair),
        // Which software forwarded it, by any name that it likes.
        "via" => true,
        name if CLIENT_ADDRESSES.contains(&name) => items(value, &[',']).all(is_this_machine),
        name => match name.strip_prefix("x-forwarded") {
            Some(what) if !NAMES_NOBODY.iter().any(|harmless| what.strip_prefix('-') == Some(harmless)) => {
                items(value, &[',']).all(is_this_machine)
            }
            _ => true,
        },
    };
    !everybody_is_here
}

/// Whether a pair of `Forwarded` ([RFC 7239](https://www.rfc-editor.org/rfc/rfc7239)) names this machine, or nobody.
fn is_harmless_pair(pair: &str) -> bool {
    match pair.split_once('=') {
        Some((key, _)) if key.trim().eq_ignore_ascii_case("proto") => true,
        Some((_, node)) => is_this_machine(node),
        None => false,
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

#[cfg(test)]
mod tests {
    use super::*;

    fn gives_away(name: &str, value: &str) -> bool {
        names_a_stranger(&name.parse().unwrap(), value)
    }

    /// Row 17 of the proof, as far as single headers go.
    #[test]
    fn a_stranger_is_seen_wherever_a_header_names_one() {
        for (name, value) in [
            ("x-forwarded-for", "203.0.113.9"),
            ("x-forwarded-for", "127.0.0.1, 203.0.113.9"),
            ("x-forwarded-for", "203.0.113.9, 127.0.0.1"),
            ("x-forwarded-for", "127.0.0.1, 203.0.113.9, ::1"),
            ("x-forwarded-for", "unknown"),
            ("x-forwarded-for", "127.0.0.1 203.0.113.9"),
            ("X-Forwarded-For", "203.0.113.9"),
            ("x-forwarded", "203.0.113.9"),
            ("x-forwarded-host", "omni.example"),
            ("x-forwarded-server", "proxy.example"),
            ("x-forwarded-anything", "omni.example"),
            ("x-real-ip", "203.0.113.9"),
            ("cf-connecting-ip", "2001:db8::1"),
            ("true-client-ip", "203.0.113.9"),
            ("forwarded", "for=203.0.113.9"),
            ("forwarded", "For=\"[2001:db8::1]\""),
            ("forwarded", "for=127.0.0.1, for=203.0.113.9"),
            ("forwarded", "for=127.0.0.1;host=omni.example"),
            ("forwarded", "for=_hidden"),
            ("forwarded", "for=unknown"),
            ("forwarded", "for=\"127.0.0.1;proto=http"),
            ("forwarded", "nonsense"),
        ] {
            assert!(gives_away(name, value), "{name}: {value}");
        }
    }

    #[test]
    fn who_is_here_is_no_stranger() {
        for (name, value) in [
            ("x-forwarded-for", "127.0.0.1"),
            ("x-forwarded-for", "::1, 127.0.0.1"),
            ("x-forwarded-for", "127.0.0.1:7000"),
            ("x-forwarded-for", ""),
            ("x-forwarded-host", "localhost:8882"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-port", "443"),
            ("x-real-ip", "::ffff:127.0.0.1"),
            ("cf-connecting-ip", "127.0.0.1"),
            ("forwarded", "for=127.0.0.1;proto=http;by=127.0.0.1"),
            ("forwarded", "for=\"[::1]:4711\";host=localhost"),
            ("via", "1.1 proxy.example"),
            ("user-agent", "203.0.113.9"),
            ("x-request-id", "omni.example"),
        ] {
            assert!(!gives_away(name, value), "{name}: {value}");
        }
    }

    #[test]
    fn only_proxies_have_these_headers() {
        for (name, is) in [
            ("forwarded", true),
            ("via", true),
            ("x-forwarded", true),
            ("x-forwarded-proto", true),
            ("x-real-ip", true),
            ("true-client-ip", true),
            ("host", false),
            ("origin", false),
            ("x-request-id", false),
        ] {
            assert_eq!(is_forwarding(&name.parse().unwrap()), is, "{name}");
        }
    }
}
