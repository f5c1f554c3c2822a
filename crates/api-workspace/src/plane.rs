use actix_web::cookie::Cookie;
use futures::FutureExt;
use futures::future::LocalBoxFuture;
use omni_domain::Origin;
use omni_http::{ApiError, Arrival, Plane, Sessions, Visit, is_loopback_host, same_origin};
use omni_identity::Visitor;
use omni_rbac::{Authority, SessionKey};
use serde_json::{Value, json};

use crate::Services;
use crate::cookies::{session_cookie, session_cookie_value, session_removal_cookie};

/// The workspace API.
#[derive(Debug)]
pub enum WorkspaceApi {}

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

    fn turned_away<'a>(services: &'a Services, visit: &'a Visit, refusal: &'a ApiError) -> LocalBoxFuture<'a, ()> {
        async move {
            if let Some(key) = Self::credential(services, visit) {
                services.authority.turned_away(key, Self::origin(services, visit), refusal.code()).await;
            }
        }
        .boxed_local()
    }

    fn origin(services: &Services, visit: &Visit) -> Origin {
        visit.origin(&services.proxies)
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

    fn credential(services: &Services, visit: &Visit) -> Option<SessionKey> {
        session_cookie_value(services, visit).map(|secret| SessionKey::of(&secret))
    }

    fn removal(services: &Services, visit: &Visit) -> Cookie<'static> {
        session_removal_cookie(services, visit)
    }

    fn welcome<'a>(services: &'a Services, visit: &'a Visit) -> LocalBoxFuture<'a, Result<Option<Arrival>, ApiError>> {
        async move {
            if !services.identity.is_fake() {
                return Ok(None);
            }
            let signed_in = services.identity.sign_in_as(None, &visitor(services, visit)).await?;
            Ok(Some(Arrival { key: signed_in.key, cookie: session_cookie(services, visit, &signed_in) }))
        }
        .boxed_local()
    }
}

/// Who knocks, as a sign-in remembers it.
pub(crate) fn visitor(services: &Services, visit: &Visit) -> Visitor {
    Visitor { origin: WorkspaceApi::origin(services, visit), previous: WorkspaceApi::credential(services, visit) }
}
