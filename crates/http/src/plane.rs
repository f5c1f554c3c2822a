use actix_web::cookie::Cookie;
use futures::future::LocalBoxFuture;
use omni_rbac::{Authority, SessionKey};

use crate::{ApiError, Visit};

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
    fn credential(visit: &Visit) -> Option<SessionKey>;

    /// The cookie that takes a credential away which opens nothing any more.
    fn removal(state: &Self::State, visit: &Visit) -> Cookie<'static>;

    /// What becomes of somebody who comes without a credential: signed in on the spot, or nothing.
    ///
    /// # Errors
    /// If signing in failed.
    fn welcome<'a>(state: &'a Self::State, visit: &'a Visit) -> LocalBoxFuture<'a, Result<Option<Arrival>, ApiError>>;
}

/// Somebody who was signed in at their first request.
#[derive(Debug)]
pub struct Arrival {
    /// What the new session is found by.
    pub key: SessionKey,
    /// The cookie that carries it.
    pub cookie: Cookie<'static>,
}
