use actix_web::cookie::Cookie;
use futures::FutureExt;
use futures::future::LocalBoxFuture;
use omni_domain::Origin;
use omni_rbac::{ApiKeyDigest, Authority, KeyGrant, SessionKey};

use crate::{ApiError, TrustedProxies, Visit};

/// One API: what its endpoints share.
pub trait Plane: Sized + 'static {
    /// What its endpoints work with.
    type State: Send + Sync + 'static;

    /// Its name in the documentation's path: `/docs/{NAME}`.
    const NAME: &'static str;
    /// Its title in the documentation.
    const TITLE: &'static str;

    /// Whether the request may come in at all, before anybody asks who sent it.
    ///
    /// # Errors
    /// Why it may not.
    fn screen(state: &Self::State, visit: &Visit) -> Result<(), ApiError>;

    /// Told of a request that [`Plane::screen`] has turned away, to keep it in mind.
    fn turned_away<'a>(_state: &'a Self::State, _visit: &'a Visit, _refusal: &'a ApiError) -> LocalBoxFuture<'a, ()> {
        futures::future::ready(()).boxed_local()
    }

    /// Whose request it is. Forwarding headers are not believed unless the API says whose.
    fn origin(_state: &Self::State, visit: &Visit) -> Origin {
        visit.origin(&TrustedProxies::default())
    }

    /// The shape of an error's body.
    fn error_body(error: &ApiError) -> serde_json::Value;

    /// The schema of an error's body, as JSON Schema.
    fn error_schema() -> serde_json::Value;
}

/// An API whose callers sign in.
pub trait Sessions: Plane {
    /// The one mint of sessions and grants.
    fn authority(state: &Self::State) -> &Authority;

    /// What the request's credential opens, if it carries one.
    fn credential(state: &Self::State, visit: &Visit) -> Option<SessionKey>;

    /// The cookie that takes a credential away which opens nothing any more.
    fn removal(state: &Self::State, visit: &Visit) -> Cookie<'static>;

    /// What becomes of somebody who comes without a credential: signed in on the spot, or nothing.
    ///
    /// # Errors
    /// If signing in failed.
    fn welcome<'a>(state: &'a Self::State, visit: &'a Visit) -> LocalBoxFuture<'a, Result<Option<Arrival>, ApiError>>;
}

/// An API whose callers are programs that hold an app's key.
pub trait Keys: Plane {
    /// What opens the key in the request, under the limits that hold for it; it is for the API to say how often that may
    /// be tried.
    ///
    /// # Errors
    /// If the request carries no good key, or has used up what the key takes.
    fn admit<'a>(
        state: &'a Self::State,
        visit: &'a Visit,
        digest: Option<ApiKeyDigest>,
    ) -> LocalBoxFuture<'a, Result<KeyGrant, ApiError>>;
}

/// Somebody who was signed in at their first request.
#[derive(Debug)]
pub struct Arrival {
    /// What the new session is found by.
    pub key: SessionKey,
    /// The cookie that carries it.
    pub cookie: Cookie<'static>,
}
