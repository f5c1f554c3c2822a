use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use omni_http::{Answer, ApiError, Reply, Visit};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa::openapi::schema::Schema;
use utoipa::openapi::{RefOr, Response};

/// A JSON body that has the same shape whether things are well or not; the status code says which it is.
#[derive(Debug)]
pub(crate) struct Judged<T> {
    status: StatusCode,
    body: T,
}

impl<T> Judged<T> {
    /// Things are well.
    pub(crate) const fn well(body: T) -> Self {
        Self { status: StatusCode::OK, body }
    }

    /// They are not, in the way that the status says.
    pub(crate) const fn unwell(status: StatusCode, body: T) -> Self {
        Self { status, body }
    }
}

impl<T: Serialize + ToSchema> Reply for Judged<T> {
    const STATUS: u16 = 200;

    fn respond(self, visit: &Visit) -> Result<HttpResponse, ApiError> {
        let mut response = Answer(self.body).respond(visit)?;
        *response.status_mut() = self.status;
        Ok(response)
    }

    fn describe(schemas: &mut Vec<(String, RefOr<Schema>)>) -> Response {
        Answer::<T>::describe(schemas)
    }
}
