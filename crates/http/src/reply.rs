use actix_web::HttpResponse;
use actix_web::cookie::Cookie;
use actix_web::http::{StatusCode, header};
use omni_domain::Page;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa::openapi::schema::{ArrayBuilder, KnownFormat, ObjectBuilder, Schema, SchemaFormat, Type};
use utoipa::openapi::{ContentBuilder, RefOr, Response, ResponseBuilder};

use crate::body::schema_of;
use crate::{ApiError, Visit};

/// What an endpoint answers.
pub trait Reply: Sized {
    /// The status code that the documentation gives.
    const STATUS: u16;

    /// Makes the answer.
    ///
    /// # Errors
    /// If it cannot be written, which is a bug.
    fn respond(self, visit: &Visit) -> Result<HttpResponse, ApiError>;

    /// The answer and the schemas that it refers to, for the documentation.
    fn describe(schemas: &mut Vec<(String, RefOr<Schema>)>) -> Response;
}

/// `200` with a JSON body.
#[derive(Debug)]
pub struct Answer<T>(pub T);

/// `201` with a JSON body: what was made.
#[derive(Debug)]
pub struct Created<T>(pub T);

/// `202` with a JSON body: what will be done.
#[derive(Debug)]
pub struct Accepted<T>(pub T);

/// `200` with a JSON array, and the length of the whole list in `X-Total-Count` and `Link`.
#[derive(Debug)]
pub struct Listed<T>(pub Page<T>);

/// `200` with a page of a long list: `{items, total, page, per_page, pages}`.
#[derive(Debug)]
pub struct Paged<T>(pub Page<T>);

/// `200` with a sentence that says what was removed.
#[derive(Debug)]
pub struct Deleted(pub String);

/// `303` to another place.
#[derive(Debug)]
pub struct Redirect(pub String);

/// Another reply, and cookies.
#[derive(Debug)]
pub struct WithCookie<R>(pub R, pub Cookie<'static>);

#[derive(Serialize, ToSchema)]
struct Message {
    /// What was done.
    message: String,
}

#[derive(Serialize)]
struct Envelope<'a, T> {
    items: &'a [T],
    total: u64,
    page: u32,
    per_page: u32,
    pages: u64,
}

fn json(status: StatusCode, value: &impl Serialize) -> Result<HttpResponse, ApiError> {
    let body = serde_json::to_vec(value).map_err(ApiError::internal)?;
    Ok(HttpResponse::build(status).insert_header(header::ContentType::json()).body(body))
}

fn described(description: &str, schema: RefOr<Schema>) -> Response {
    let content = ContentBuilder::new().schema(Some(schema)).build();
    ResponseBuilder::new().description(description).content("application/json", content).build()
}

impl<T: Serialize + ToSchema> Reply for Answer<T> {
    const STATUS: u16 = 200;

    fn respond(self, _visit: &Visit) -> Result<HttpResponse, ApiError> {
        json(StatusCode::OK, &self.0)
    }

    fn describe(schemas: &mut Vec<(String, RefOr<Schema>)>) -> Response {
        described("Done", schema_of::<T>(schemas))
    }
}

impl<T: Serialize + ToSchema> Reply for Created<T> {
    const STATUS: u16 = 201;

    fn respond(self, _visit: &Visit) -> Result<HttpResponse, ApiError> {
        json(StatusCode::CREATED, &self.0)
    }

    fn describe(schemas: &mut Vec<(String, RefOr<Schema>)>) -> Response {
        described("Made", schema_of::<T>(schemas))
    }
}

impl<T: Serialize + ToSchema> Reply for Accepted<T> {
    const STATUS: u16 = 202;

    fn respond(self, _visit: &Visit) -> Result<HttpResponse, ApiError> {
        json(StatusCode::ACCEPTED, &self.0)
    }

    fn describe(schemas: &mut Vec<(String, RefOr<Schema>)>) -> Response {
        described("It will be done", schema_of::<T>(schemas))
    }
}

impl<T: Serialize + ToSchema> Reply for Listed<T> {
    const STATUS: u16 = 200;

    fn respond(self, visit: &Visit) -> Result<HttpResponse, ApiError> {
        let mut response = json(StatusCode::OK, &self.0.items)?;
        let headers = response.headers_mut();
        headers.insert(header::HeaderName::from_static("x-total-count"), self.0.total.into());
        if let Some(link) = links(&self.0, visit).and_then(|link| link.parse().ok()) {
            headers.insert(header::LINK, link);
        }
        Ok(response)
    }

    fn describe(schemas: &mut Vec<(String, RefOr<Schema>)>) -> Response {
        let items = ArrayBuilder::new().items(schema_of::<T>(schemas)).build();
        described("The list; its whole length is in X-Total-Count", RefOr::T(Schema::Array(items)))
    }
}

impl<T: Serialize + ToSchema> Reply for Paged<T> {
    const STATUS: u16 = 200;

    fn respond(self, _visit: &Visit) -> Result<HttpResponse, ApiError> {
        let page = &self.0;
        let (number, per_page) = (page.request.page, page.request.per_page);
        let envelope = Envelope { items: &page.items, total: page.total, page: number, per_page, pages: page.pages() };
        json(StatusCode::OK, &envelope)
    }

    fn describe(schemas: &mut Vec<(String, RefOr<Schema>)>) -> Response {
        let number = || {
            ObjectBuilder::new().schema_type(Type::Integer).format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64)))
        };
        let items = ArrayBuilder::new().items(schema_of::<T>(schemas)).build();
        let mut page = ObjectBuilder::new().property("items", Schema::Array(items)).required("items");
        for name in ["total", "page", "per_page", "pages"] {
            page = page.property(name, number()).required(name);
        }
        described("One page of the list", RefOr::T(Schema::Object(page.build())))
    }
}

impl Reply for Deleted {
    const STATUS: u16 = 200;

    fn respond(self, _visit: &Visit) -> Result<HttpResponse, ApiError> {
        json(StatusCode::OK, &Message { message: self.0 })
    }

    fn describe(schemas: &mut Vec<(String, RefOr<Schema>)>) -> Response {
        described("Removed", schema_of::<Message>(schemas))
    }
}

impl Reply for Redirect {
    const STATUS: u16 = 303;

    fn respond(self, _visit: &Visit) -> Result<HttpResponse, ApiError> {
        Ok(HttpResponse::SeeOther().insert_header((header::LOCATION, self.0)).finish())
    }

    fn describe(_schemas: &mut Vec<(String, RefOr<Schema>)>) -> Response {
        ResponseBuilder::new().description("Go there").build()
    }
}

impl<R: Reply> Reply for WithCookie<R> {
    const STATUS: u16 = R::STATUS;

    fn respond(self, visit: &Visit) -> Result<HttpResponse, ApiError> {
        visit.set_cookie(self.1);
        self.0.respond(visit)
    }

    fn describe(schemas: &mut Vec<(String, RefOr<Schema>)>) -> Response {
        R::describe(schemas)
    }
}

/// The `Link` header of a list, after RFC 8288: the pages before and after, the first and the last.
fn links<T>(page: &Page<T>, visit: &Visit) -> Option<String> {
    let (number, last) = (u64::from(page.request.page), page.pages().max(1));
    if last == 1 {
        return None;
    }
    let mut others: Vec<(&str, u64)> = vec![("first", 1), ("last", last)];
    if number > 1 {
        others.push(("prev", number - 1));
    }
    if number < last {
        others.push(("next", number + 1));
    }
    let link = |(relation, number): (&str, u64)| {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        let kept = url::form_urlencoded::parse(visit.query_string().as_bytes())
            .filter(|(name, _)| name != "page" && name != "per_page");
        query.extend_pairs(kept);
        query.append_pair("page", &number.to_string());
        query.append_pair("per_page", &page.request.per_page.to_string());
        format!("<{}?{}>; rel=\"{relation}\"", visit.path(), query.finish())
    };
    Some(others.into_iter().map(link).collect::<Vec<_>>().join(", "))
}
