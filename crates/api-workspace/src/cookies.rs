//! The cookies of the workspace API: a browser's session, and its sign-ins on the way.

use actix_web::cookie::time::OffsetDateTime;
use actix_web::cookie::{Cookie, SameSite};
use omni_domain::Timestamp;
use omni_http::{Visit, is_loopback_host};
use omni_identity::{Departure, SignedIn};
use secrecy::ExposeSecret;

use crate::Services;

/// What carries a session: the contract's name.
const SESSION: &str = "session";
/// What marks a browser that is on its way to the identity provider; behind it stands which of its sign-ins it is.
const ATTEMPT: &str = "sign-in-";
/// Behind HTTPS, the beginning of names that a browser takes from no other host.
const SECURE_PREFIX: &str = "__Host-";

/// The secret of the session that the request carries. Behind HTTPS only the name counts that no other host can have set: a
/// host next door could make a browser work in a session of its own choice.
pub(crate) fn session_cookie_value(services: &Services, visit: &Visit) -> Option<String> {
    visit.cookie(&name(services, SESSION))
}

/// The cookie of a new session.
pub(crate) fn session_cookie(services: &Services, visit: &Visit, signed_in: &SignedIn) -> Cookie<'static> {
    filled(blank(services, visit, SESSION), signed_in.secret.expose_secret(), signed_in.expires)
}

/// The cookie that takes a session's away.
pub(crate) fn session_removal_cookie(services: &Services, visit: &Visit) -> Cookie<'static> {
    removal(blank(services, visit, SESSION))
}

/// The cookie of a sign-in that begins.
pub(crate) fn attempt_cookie(services: &Services, visit: &Visit, departure: &Departure) -> Cookie<'static> {
    let blank = blank(services, visit, &format!("{ATTEMPT}{}", departure.tag));
    filled(blank, departure.secret.expose_secret(), departure.expires)
}

/// What the browser kept of a sign-in. Behind HTTPS only the name counts that no other host can have set.
pub(crate) fn attempt_cookie_value(services: &Services, visit: &Visit, tag: &str) -> Option<String> {
    visit.cookie(&name(services, &format!("{ATTEMPT}{tag}")))
}

/// The cookie that takes a sign-in's away.
pub(crate) fn attempt_removal_cookie(services: &Services, visit: &Visit, tag: &str) -> Cookie<'static> {
    removal(blank(services, visit, &format!("{ATTEMPT}{tag}")))
}

fn is_https(services: &Services) -> bool {
    services.public_url.as_ref().is_some_and(|url| url.scheme() == "https")
}

fn name(services: &Services, name: &str) -> String {
    if is_https(services) { format!("{SECURE_PREFIX}{name}") } else { name.to_owned() }
}

/// A cookie for HTTPS alone, except where a loopback address makes that impossible.
fn blank(services: &Services, visit: &Visit, plain_name: &str) -> Cookie<'static> {
    let is_secure = is_https(services) || !visit.host().is_some_and(is_loopback_host);
    Cookie::build(name(services, plain_name), "")
        .path("/")
        .http_only(true)
        .same_site(SameSite::Lax)
        .secure(is_secure)
        .finish()
}

fn filled(mut cookie: Cookie<'static>, secret: &str, expires: Timestamp) -> Cookie<'static> {
    cookie.set_value(secret.to_owned());
    cookie.set_expires(OffsetDateTime::from_unix_timestamp(expires.unix_timestamp()).ok());
    cookie
}

fn removal(mut cookie: Cookie<'static>) -> Cookie<'static> {
    cookie.make_removal();
    cookie
}
