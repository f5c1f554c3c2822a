//! Which pages may make a browser send what. A cookie goes along whoever wrote the page, so a request that changes
//! something must come from a page of ours, or from no page at all.

use std::net::IpAddr;

use url::{Host, Url};

use crate::{ApiError, Visit};

/// Refuses a request that changes something and that a browser says comes from another site. Programs that are no browsers
/// send neither header and pass. `public_url` is where a proxy says that this server is.
///
/// # Errors
/// If the request comes from another site.
pub fn same_origin(visit: &Visit, public_url: Option<&Url>) -> Result<(), ApiError> {
    if visit.is_safe() {
        return Ok(());
    }
    let foreign = || {
        ApiError::forbidden(
            "cross_site_request",
            "this request comes from another site; send it from this server's own pages",
        )
    };
    if visit.headers().contains_key("sec-fetch-site") {
        // A browser that says so has compared the origins itself, and pages can't forge the header.
        return match visit.header("sec-fetch-site") {
            Some("same-origin" | "none") => Ok(()),
            _ => Err(foreign()),
        };
    }
    if !visit.headers().contains_key("origin") {
        return Ok(());
    }
    let origin = visit.header("origin").and_then(|origin| Url::parse(origin).ok()).ok_or_else(foreign)?;
    let is_public = public_url.is_some_and(|public| public.origin() == origin.origin());
    let is_host = visit.host().is_some_and(|host| is_at(&origin, host));
    if is_public || is_host { Ok(()) } else { Err(foreign()) }
}

/// Whether an origin is at the host and port that a `Host` header names.
fn is_at(origin: &Url, host: &str) -> bool {
    Url::parse(&format!("{}://{host}/", origin.scheme())).is_ok_and(|at| at.origin() == origin.origin())
}

/// Whether a `Host` header names this machine from within: `localhost`, or a loopback address, with any port. A name that
/// somebody made resolve to a loopback address is not one.
#[must_use]
pub fn is_loopback_host(host: &str) -> bool {
    let Ok(url) = Url::parse(&format!("http://{host}/")) else {
        return false;
    };
    // What the parser makes of `user@localhost` or `localhost/x` is no host header.
    let whole = url.path() == "/" && url.username().is_empty() && url.password().is_none() && url.query().is_none();
    whole
        && match url.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(ip)) => ip.is_loopback(),
            Some(Host::Ipv6(ip)) => IpAddr::V6(ip).to_canonical().is_loopback(),
            None => false,
        }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;
    use crate::intake::Intake;

    fn visit(headers: &[(&'static str, &str)]) -> Visit {
        let request = headers.iter().fold(TestRequest::post(), |request, header| request.append_header(*header));
        Visit::new(request.to_http_request(), [].into(), "test".into(), Intake::new().share())
    }

    #[test]
    fn programs_and_own_pages_pass() {
        for headers in [
            vec![("host", "omni.example")],
            vec![("host", "omni.example"), ("sec-fetch-site", "same-origin")],
            vec![("host", "omni.example"), ("sec-fetch-site", "none")],
            vec![("host", "omni.example"), ("origin", "https://omni.example")],
            vec![("host", "localhost:8000"), ("origin", "http://localhost:8000")],
        ] {
            assert!(same_origin(&visit(&headers), None).is_ok(), "{headers:?}");
        }
        let proxied = visit(&[("host", "127.0.0.1:8000"), ("origin", "https://omni.example")]);
        assert!(same_origin(&proxied, Url::parse("https://omni.example").ok().as_ref()).is_ok());
    }

    #[test]
    fn other_sites_do_not() {
        for headers in [
            vec![("host", "omni.example"), ("origin", "https://evil.example")],
            vec![("host", "omni.example"), ("origin", "null")],
            vec![("host", "omni.example"), ("origin", "https://omni.example:8443")],
            vec![("host", "omni.example"), ("origin", "https://omni.example"), ("origin", "https://evil.example")],
            vec![("host", "omni.example"), ("sec-fetch-site", "cross-site")],
            vec![("host", "omni.example"), ("sec-fetch-site", "same-site"), ("origin", "https://omni.example")],
        ] {
            assert!(same_origin(&visit(&headers), None).is_err(), "{headers:?}");
        }
    }

    #[test]
    fn knows_this_machine_by_its_names() {
        for host in [
            "localhost",
            "localhost:8000",
            "LOCALHOST",
            "127.0.0.1:8000",
            "127.9.9.9",
            "[::1]:8000",
            "[::ffff:127.0.0.1]",
        ] {
            assert!(is_loopback_host(host), "{host}");
        }
        for host in [
            "evil.example",
            "localhost.evil",
            "127.0.0.1.evil",
            "user@localhost",
            "localhost/x",
            "",
            "10.0.0.1",
            "[::2]",
        ] {
            assert!(!is_loopback_host(host), "{host}");
        }
    }
}
