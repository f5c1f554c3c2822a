use actix_web::cookie::time::OffsetDateTime;
use actix_web::cookie::{Cookie, SameSite};
use futures::FutureExt;
use futures::future::LocalBoxFuture;
use omni_http::{ApiError, Arrival, Plane, Sessions, Visit, is_loopback_host, same_origin};
use omni_identity::SignedIn;
use omni_rbac::{Authority, SessionKey};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use crate::Services;

/// The workspace API.
#[derive(Debug)]
pub enum WorkspaceApi {}

/// What carries a session: the contract's name, and behind HTTPS the one that a browser takes from nobody else.
const COOKIE: &str = "session";
const SECURE_COOKIE: &str = "__Host-session";

impl Plane for WorkspaceApi {
    type State = Services;

    const NAME: &'static str = "internal";
    const TITLE: &'static str = "Omni workspace API";

    fn screen(services: &Services, visit: &Visit) -> Result<(), ApiError> {
        if services.identity.is_fake() && !visit.host().is_some_and(is_loopback_host) {
            return Err(ApiError::forbidden(
                "not_loopback",
                "this server signs everybody in, so it answers only under the names of this machine: use localhost",
            ));
        }
        same_origin(visit, services.public_url.as_ref())
    }

    fn error_body(error: &ApiError) -> Value {
        json!({ "detail": error.detail(), "code": error.code() })
    }

    fn error_schema() -> Value {
        json!({
            "type": "object",
            "required": ["detail"],
            "properties": {
                "detail": { "type": "string", "description": "One sentence that a person understands." },
                "code": { "type": "string", "description": "A stable name for programs." },
            },
        })
    }
}

impl Sessions for WorkspaceApi {
    fn authority(services: &Services) -> &Authority {
        &services.authority
    }

    fn credential(visit: &Visit) -> Option<SessionKey> {
        session_cookie(visit).map(|secret| SessionKey::of(&secret))
    }

    fn welcome<'a>(services: &'a Services, visit: &'a Visit) -> LocalBoxFuture<'a, Result<Option<Arrival>, ApiError>> {
        async move {
            if !services.identity.is_fake() {
                return Ok(None);
            }
            let signed_in = services.identity.sign_in_as(None, None).await?;
            Ok(Some(Arrival { key: signed_in.key, cookie: cookie_of(services, visit, &signed_in) }))
        }
        .boxed_local()
    }
}

pub(crate) fn session_cookie(visit: &Visit) -> Option<String> {
    visit.cookie(SECURE_COOKIE).or_else(|| visit.cookie(COOKIE))
}

/// The cookie of a new session. It is for HTTPS alone, except where a loopback address makes that impossible.
pub(crate) fn cookie_of(services: &Services, visit: &Visit, signed_in: &SignedIn) -> Cookie<'static> {
    let expires = OffsetDateTime::from_unix_timestamp(signed_in.expires.unix_timestamp()).ok();
    let mut cookie = blank_cookie(services, visit);
    cookie.set_value(signed_in.secret.expose_secret().to_owned());
    cookie.set_expires(expires);
    cookie
}

/// The cookie that takes a session's away.
pub(crate) fn removal_cookie(services: &Services, visit: &Visit) -> Cookie<'static> {
    let mut cookie = blank_cookie(services, visit);
    cookie.make_removal();
    cookie
}

fn blank_cookie(services: &Services, visit: &Visit) -> Cookie<'static> {
    let is_https = services.public_url.as_ref().is_some_and(|url| url.scheme() == "https");
    let is_secure = is_https || !visit.host().is_some_and(is_loopback_host);
    Cookie::build(if is_https { SECURE_COOKIE } else { COOKIE }, "")
        .path("/")
        .http_only(true)
        .same_site(SameSite::Lax)
        .secure(is_secure)
        .finish()
}
