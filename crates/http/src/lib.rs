//! The kernel that every HTTP API of the house is made with.
//!
//! An [`Endpoint`] is one file that states, in types, its method and path, who may call it ([`AccessRule`]), what it reads
//! ([`Call`]), what it answers ([`Reply`]) and an example. A `static` slice of [`RouteSpec`]s is the table of an API, and
//! everything is made of the table: the [`Router`], the OpenAPI document, the role matrix and the tests that try each route
//! with each role. Nothing is served that is not in a table.
//!
//! What an API's endpoints share is its [`Plane`]: the state they work with, who is let in at the door, and the shape of its
//! errors. An error is an [`ApiError`], made of any [`Failure`](omni_domain::Failure) of the crates below; status codes are
//! known here and nowhere else.
//!
//! Business rules do not belong here, nor does SQL. The crate knows actix-web, and the endpoints see little of it.

mod access;
mod body;
mod client_address;
mod dispatch;
mod docs;
mod download;
mod endpoint;
mod error;
mod form_stream;
mod input;
mod intake;
mod matrix;
mod multipart;
mod openapi;
mod origin;
mod plane;
mod reply;
mod route;
mod router;
mod server;
mod site;
mod stream;
mod visit;

pub use access::{
    AccessRule, AppScope, ByPath, ByQueried, ByQuery, BySlug, Described, HoldsKey, InApp, InQuery, InvitedPerson,
    Member, OneAppOrMine, Platform, PlatformMember, Public, Reach, SignedIn, Via,
};
pub use body::{FromBody, Json, MOST_JSON_BYTES, NoBody};
pub use client_address::TrustedProxies;
pub use dispatch::Dispatcher;
pub use download::{Download, Wanted};
pub use endpoint::{Call, Ctx, Endpoint, Example, ExampleFile, Method};
pub use error::ApiError;
pub use form_stream::{FilePart, FormStream, Part};
pub use input::{FromPath, FromQuery, NoQuery, Paging};
pub use matrix::{matrix_markdown, role_matrix};
pub use multipart::{Form, FormLimits, Upload};
pub use openapi::{Document, document};
pub use origin::{is_loopback_host, same_origin};
pub use plane::{Arrival, Keys, Plane, Sessions};
pub use reply::{Accepted, Answer, Created, Deleted, Listed, Paged, Redirect, Reply, WithCookie};
pub use route::RouteSpec;
pub use router::Router;
pub use server::{ServerOptions, serve};
pub use site::Site;
pub use stream::EventStream;
pub use visit::Visit;
