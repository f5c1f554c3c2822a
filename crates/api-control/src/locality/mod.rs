//! Who is on this machine. A proxy on this machine has a loopback address, too, and a page in this machine's browser can
//! send requests here; so the socket's other end is asked first, and then everything that would give a stranger away.

mod accounts;
mod forwarding;

use std::net::SocketAddr;

use actix_web::http::header::{HeaderMap, HeaderName};
use omni_http::{AccessRule, ApiError, Described, Reach, Visit, is_loopback_host};
use url::{Host, Url};

pub use self::accounts::Accounts;
use self::forwarding::{is_forwarding, names_a_stranger};
use crate::{ControlApi, ControlPlane};

/// The code of the refusal.
pub(crate) const NOT_LOCAL: &str = "not_local";

/// What callers must show besides that they are on this machine.
#[derive(Debug, Clone, Default)]
pub struct Locality {
    /// Whether even a proxy on this machine is one too many.
    pub strict: bool,
    /// Whose programs they must be; anybody's, if nothing is said.
    pub accounts: Option<Accounts>,
}

/// For programs on this machine.
#[derive(Debug)]
pub enum Loopback {}

/// The proof that a request comes from this machine, and from an account that may ask.
#[derive(Debug)]
pub struct Local(());

impl AccessRule<ControlApi> for Loopback {
    type Granted = Local;

    fn describe() -> Described {
        Described { lowest: None, reach: Reach::Nowhere }
    }

    async fn admit(state: &ControlPlane, visit: &Visit) -> Result<Local, ApiError> {
        screen(&state.locality, visit)?;
        if let Some(accounts) = &state.locality.accounts {
            accounts.admit(visit).await?;
        }
        Ok(Local(()))
    }
}

/// Turns away who is not on this machine.
pub(crate) fn screen(locality: &Locality, visit: &Visit) -> Result<(), ApiError> {
    let claims = Claims { peer: visit.peer(), target: visit.authority(), headers: visit.headers() };
    if claims.are_local(locality.strict) {
        return Ok(());
    }
    Err(ApiError::forbidden(NOT_LOCAL, "Internal endpoint - localhost only"))
}

/// Where a request comes from and where it was sent to, as far as it can be told.
struct Claims<'a> {
    peer: Option<SocketAddr>,
    target: Option<&'a str>,
    headers: &'a HeaderMap,
}

impl Claims<'_> {
    fn are_local(&self, strict: bool) -> bool {
        self.peer.is_some_and(|peer| peer.ip().to_canonical().is_loopback())
            && self.target.is_none_or(is_loopback_host)
            // A second host is for whoever reads another one than we do.
            && self.headers.get_all("host").count() == 1
            && !(strict && self.headers.keys().any(is_forwarding))
            && self.headers.iter().all(|(name, value)| match value.to_str() {
                Ok(value) => !gives_away(name, value),
                // What cannot be read may say anything.
                Err(_) => !is_looked_at(name),
            })
    }
}

fn is_looked_at(name: &HeaderName) -> bool {
    matches!(name.as_str(), "host" | "origin" | "sec-fetch-site") || is_forwarding(name)
}

/// Whether a header tells that the request comes from elsewhere, or was meant for elsewhere.
fn gives_away(name: &HeaderName, value: &str) -> bool {
    match name.as_str() {
        "host" => !is_loopback_host(value),
        "origin" => !is_loopback_origin(value),
        // Browsers say it, and pages cannot change it. `same-site` is any other server on this machine.
        "sec-fetch-site" => !matches!(value, "same-origin" | "none"),
        _ => names_a_stranger(name, value),
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

    /// Whether a request is local that comes from `peer` and has these headers.
    fn is_let_in(peer: &str, headers: &[(&str, &str)], strict: bool) -> bool {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(name.parse().unwrap(), HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        Claims { peer: peer.parse().ok(), target: None, headers: &map }.are_local(strict)
    }

    fn with(header: (&str, &str)) -> bool {
        is_let_in(HERE, &[("host", "localhost:8882"), header], false)
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
            assert_eq!(is_let_in(peer, &[("host", "localhost:8882")], false), local, "{peer}");
        }
    }

    #[test]
    fn there_is_one_host_and_it_is_a_name_of_this_machine() {
        for (hosts, local) in [
            (&["localhost"][..], true),
            (&["127.0.0.1:8882"], true),
            (&["[::1]:8882"], true),
            (&["omni.example"], false),
            (&[""], false),
            (&[], false),
            (&["localhost", "omni.example"], false),
            (&["localhost", "localhost"], false),
        ] {
            let headers: Vec<_> = hosts.iter().map(|host| ("host", *host)).collect();
            assert_eq!(is_let_in(HERE, &headers, false), local, "{hosts:?}");
        }
    }

    #[test]
    fn a_target_that_names_another_machine_outweighs_the_host() {
        let mut headers = HeaderMap::new();
        headers.append(HeaderName::from_static("host"), HeaderValue::from_static("localhost:8882"));
        let to = |target| Claims { peer: HERE.parse().ok(), target, headers: &headers }.are_local(false);
        assert!(to(None) && to(Some("127.0.0.1:8882")));
        assert!(!to(Some("omni.example")));
    }

    #[test]
    fn a_proxy_on_this_machine_passes_unless_none_may() {
        for (header, leniently) in [
            (("x-forwarded-for", "127.0.0.1"), true),
            (("x-forwarded-for", ""), true),
            (("x-forwarded-proto", "http"), true),
            (("via", "1.1 proxy"), true),
            (("forwarded", "for=127.0.0.1"), true),
            (("x-forwarded-for", "203.0.113.9"), false),
            (("x-forwarded-for", "127.0.0.1\u{e9}"), false),
        ] {
            let headers = [("host", "localhost:8882"), header];
            assert_eq!(is_let_in(HERE, &headers, false), leniently, "{header:?}");
            assert!(!is_let_in(HERE, &headers, true), "{header:?}");
        }
        assert!(is_let_in(HERE, &[("host", "localhost:8882"), ("user-agent", "curl")], true));
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
        for (site, local) in
            [("same-origin", true), ("none", true), ("same-site", false), ("cross-site", false), ("", false)]
        {
            assert_eq!(with(("sec-fetch-site", site)), local, "{site}");
        }
    }

    #[test]
    fn other_headers_say_what_they_like() {
        assert!(with(("user-agent", "203.0.113.9")) && with(("x-request-id", "omni.example")));
        assert!(with(("x-comment", "caf\u{e9}")));
    }
}
