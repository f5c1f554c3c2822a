use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::web::Payload;
use futures::FutureExt;
use futures::future::LocalBoxFuture;
use utoipa::openapi::path::Parameter;
use utoipa::openapi::request_body::RequestBody;
use utoipa::openapi::schema::Schema;
use utoipa::openapi::{RefOr, Response};

use crate::{
    AccessRule, ApiError, Call, Ctx, Described, Endpoint, Example, FromBody, FromPath, FromQuery, Method, Plane, Reply,
    Visit,
};

type Answer = LocalBoxFuture<'static, Result<HttpResponse, ApiError>>;

/// One line of an API's table: an [`Endpoint`] with its types erased. Nothing else makes one.
pub struct RouteSpec<P: Plane> {
    /// The method.
    pub method: Method,
    /// The path, with parameters in braces.
    pub path: &'static str,
    /// The section of the documentation.
    pub section: &'static str,
    /// What it does, in a few words.
    pub summary: &'static str,
    /// What there is to say beyond that.
    pub details: &'static str,
    /// The status code of success.
    pub success: u16,
    access: fn() -> Described,
    example: fn() -> Example,
    describe: fn() -> Description,
    run: fn(Arc<P::State>, Visit, Payload) -> Answer,
}

/// An endpoint's types as the documentation shows them.
pub(crate) struct Description {
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) body: Option<RequestBody>,
    pub(crate) reply: Response,
    pub(crate) schemas: Vec<(String, RefOr<Schema>)>,
}

impl<P: Plane> RouteSpec<P> {
    /// The line of an endpoint.
    #[must_use]
    pub const fn of<E: Endpoint<Plane = P>>() -> Self {
        Self {
            method: E::METHOD,
            path: E::PATH,
            section: E::SECTION,
            summary: E::SUMMARY,
            details: E::DETAILS,
            success: E::Reply::STATUS,
            access: E::Access::describe,
            example: E::example,
            describe: describe::<E>,
            run: run::<E>,
        }
    }

    /// Who may call it.
    #[must_use]
    pub fn access(&self) -> Described {
        (self.access)()
    }

    /// A call that makes sense.
    #[must_use]
    pub fn example(&self) -> Example {
        (self.example)()
    }

    pub(crate) fn description(&self) -> Description {
        (self.describe)()
    }

    pub(crate) fn run(&self, state: Arc<P::State>, visit: Visit, payload: Payload) -> Answer {
        (self.run)(state, visit, payload)
    }
}

/// The caller is let in before a byte of the body is read.
fn run<E: Endpoint>(state: Arc<<E::Plane as Plane>::State>, visit: Visit, payload: Payload) -> Answer {
    async move {
        let granted = E::Access::admit(&state, &visit).await?;
        let call = Call {
            path: E::Path::from_path(&visit)?,
            query: E::Query::from_query(visit.query_string())?,
            body: E::Body::from_body(&visit, payload).await?,
        };
        E::handle(Ctx { state, granted, visit: visit.clone() }, call).await?.respond(&visit)
    }
    .boxed_local()
}

fn describe<E: Endpoint>() -> Description {
    let mut schemas = Vec::new();
    let mut parameters = E::Path::describe();
    parameters.extend(E::Query::describe());
    let body = E::Body::describe(&mut schemas);
    let reply = E::Reply::describe(&mut schemas);
    Description { parameters, body, reply, schemas }
}
