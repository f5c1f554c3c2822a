use std::future::Future;
use std::time::Duration;

use actix_web::http::header::HeaderValue;
use actix_web::web::Payload;
use bytes::Bytes;
use futures::StreamExt;
use mime::Mime;
use omni_domain::ErrorKind;
use serde::de::DeserializeOwned;
use utoipa::ToSchema;
use utoipa::openapi::request_body::{RequestBody, RequestBodyBuilder};
use utoipa::openapi::schema::Schema;
use utoipa::openapi::{ContentBuilder, RefOr, Required};

use crate::{ApiError, Visit};

/// The most bytes that a JSON body may have.
pub const MOST_JSON_BYTES: usize = 2 * 1024 * 1024;

/// How long a JSON body may take to arrive.
const PATIENCE: Duration = Duration::from_secs(30);

/// How much of a parser's message is passed on: it may quote the input.
const MOST_QUOTED: usize = 200;

/// Reads an endpoint's body.
pub trait FromBody: Sized {
    /// Reads it.
    fn from_body(visit: &Visit, payload: Payload) -> impl Future<Output = Result<Self, ApiError>>;

    /// The body and the schemas that it refers to, for the documentation; nothing for an endpoint without a body.
    fn describe(schemas: &mut Vec<(String, RefOr<Schema>)>) -> Option<RequestBody>;
}

/// The body of an endpoint that reads none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoBody;

impl FromBody for NoBody {
    async fn from_body(_visit: &Visit, _payload: Payload) -> Result<Self, ApiError> {
        Ok(Self)
    }

    fn describe(_schemas: &mut Vec<(String, RefOr<Schema>)>) -> Option<RequestBody> {
        None
    }
}

/// A JSON body. Fields that nobody asks for are ignored.
#[derive(Debug, Clone)]
pub struct Json<T>(pub T);

impl<T: DeserializeOwned + ToSchema> FromBody for Json<T> {
    async fn from_body(visit: &Visit, payload: Payload) -> Result<Self, ApiError> {
        if !visit.sends_json() {
            return Err(ApiError::new(ErrorKind::Unsupported, "not_json", "send the body as application/json"));
        }
        refuse_encoded(visit)?;
        Ok(Self(parse(&read_all(visit, payload, MOST_JSON_BYTES).await?)?))
    }

    fn describe(schemas: &mut Vec<(String, RefOr<Schema>)>) -> Option<RequestBody> {
        let content = ContentBuilder::new().schema(Some(schema_of::<T>(schemas))).build();
        Some(RequestBodyBuilder::new().content("application/json", content).required(Some(Required::True)).build())
    }
}

/// Names `T`'s schema and sees that it, and all that it refers to, is listed.
pub(crate) fn schema_of<T: ToSchema>(schemas: &mut Vec<(String, RefOr<Schema>)>) -> RefOr<Schema> {
    schemas.push((T::name().into_owned(), T::schema()));
    T::schemas(schemas);
    RefOr::Ref(utoipa::openapi::Ref::from_schema_name(T::name()))
}

/// Whether a content type is JSON, whatever its parameters.
pub(crate) fn is_json(media: &Mime) -> bool {
    media.essence_str() == "application/json" || media.suffix() == Some(mime::JSON)
}

/// Refuses a body that would have to be unpacked or converted before it can be read.
pub(crate) fn refuse_encoded(visit: &Visit) -> Result<(), ApiError> {
    let unsupported = |detail| Err(ApiError::new(ErrorKind::Unsupported, "encoded_body", detail));
    let is_plain = |header: &HeaderValue| header.as_bytes().eq_ignore_ascii_case(b"identity");
    if !visit.headers().get_all("content-encoding").all(is_plain) {
        return unsupported("send the body without a Content-Encoding");
    }
    let media = visit.content_type();
    if media.as_ref().and_then(|media| media.get_param(mime::CHARSET)).is_some_and(|charset| charset != mime::UTF_8) {
        return unsupported("send the body in UTF-8");
    }
    Ok(())
}

/// Reads the whole body, up to `most` bytes.
pub(crate) async fn read_all(visit: &Visit, mut payload: Payload, most: usize) -> Result<Bytes, ApiError> {
    let too_large =
        || ApiError::new(ErrorKind::TooLarge, "body_too_large", format!("the body must have at most {most} bytes"));
    let declared = visit.header("content-length").and_then(|length| length.parse::<u64>().ok());
    if declared.is_some_and(|length| usize::try_from(length).map_or(true, |length| length > most)) {
        return Err(too_large());
    }
    let read = async {
        let mut body = visit.gather(most);
        while let Some(chunk) = payload.next().await {
            let chunk = chunk.map_err(|error| ApiError::malformed(format!("the body broke off: {error}")))?;
            if body.len() + chunk.len() > most {
                return Err(too_large());
            }
            body.add(&chunk).await?;
        }
        Ok(body.finish())
    };
    tokio::time::timeout(PATIENCE, read).await.map_err(|_| ApiError::malformed("the body took too long to arrive"))?
}

/// Parses JSON, and says of what is wrong where it is.
pub(crate) fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, ApiError> {
    if has_escaped_nul(body) {
        return Err(ApiError::malformed("the body must not contain NUL characters"));
    }
    if body.trim_ascii_start().first() == Some(&b'[') {
        // The parser would take a list for an object, its items for the fields in their order.
        return Err(ApiError::malformed("the body must be a JSON object, not a list"));
    }
    // The parser itself looks only at the texts that somebody asks for.
    let body = std::str::from_utf8(body).map_err(|_| ApiError::malformed("the body must be UTF-8 text"))?;
    let mut deserializer = serde_json::Deserializer::from_str(body);
    let value = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let path = error.path().to_string();
        ApiError::malformed(explain(&path, &error.into_inner()))
    })?;
    deserializer.end().map_err(|error| ApiError::malformed(explain(".", &error)))?;
    Ok(value)
}

fn explain(path: &str, error: &serde_json::Error) -> String {
    let message = error.to_string();
    // The position helps with broken JSON; where the path says which field it is, it only distracts.
    let message = match message.rsplit_once(" at line ") {
        Some((what, _)) if error.is_data() => what,
        _ => &message,
    };
    // The parser quotes what it could not take. That may be a secret in the wrong field, and this is logged.
    let message = match message.rsplit_once(", expected ") {
        Some((_, wanted)) => format!("expected {wanted}"),
        None => message.to_owned(),
    };
    let message: String = message.chars().take(MOST_QUOTED).collect();
    if let Some(field) = message.strip_prefix("missing field `").and_then(|rest| rest.strip_suffix('`')) {
        let field = if path == "." { field.to_owned() } else { format!("{path}.{field}") };
        return format!("{field}: required");
    }
    if error.is_data() && path != "." {
        format!("{path}: {message}")
    } else if error.is_data() {
        format!("the body: {message}")
    } else {
        format!("the body is not valid JSON: {message}")
    }
}

/// Whether a string in the JSON text says `\u0000`: PostgreSQL keeps no NUL in a text, and nobody means one.
fn has_escaped_nul(json: &[u8]) -> bool {
    const ESCAPE: &[u8] = b"\\u0000";
    let mut rest = json;
    while let Some(at) = rest.iter().position(|byte| *byte == b'\\') {
        let (_, escape) = rest.split_at(at);
        if escape.starts_with(ESCAPE) {
            return true;
        }
        // A backslash takes the next byte with it, so that an escaped backslash escapes nothing.
        rest = escape.get(2..).unwrap_or_default();
    }
    false
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    struct Body {
        #[expect(dead_code, reason = "only read by serde")]
        name: String,
        #[expect(dead_code, reason = "only read by serde")]
        temperature: Option<f32>,
    }

    fn refusal(json: &str) -> String {
        parse::<Body>(json.as_bytes()).unwrap_err().detail().to_owned()
    }

    #[test]
    fn names_the_field() {
        assert_eq!(refusal("{}"), "name: required");
        assert_eq!(refusal(r#"{"name":7}"#), "name: expected a string");
        assert_eq!(refusal(r#"{"name":"a","temperature":"hot"}"#), "temperature: expected f32");
        assert!(parse::<Body>(b"{\"name\":\"a\",\"unknown\":\"\xe9\"}").unwrap_err().detail().contains("UTF-8"));
        assert_eq!(refusal(" [\"a\"]"), "the body must be a JSON object, not a list");
    }

    #[test]
    fn says_where_broken_json_breaks() {
        assert!(refusal(r#"{"name":"#).starts_with("the body is not valid JSON: EOF while parsing a value at line 1"));
        assert!(refusal(r#"{"name":"a"} x"#).starts_with("the body is not valid JSON: trailing characters"));
    }

    #[test]
    fn quotes_nothing_that_may_be_a_secret() {
        let long = "x".repeat(10_000);
        for value in ["a secret", "a secret, expected nowhere at line 1", &long] {
            let misplaced = format!(r#"{{"name":"a","temperature":"{value}"}}"#);
            assert_eq!(refusal(&misplaced), "temperature: expected f32");
        }
    }

    #[test]
    fn finds_a_nul_however_it_hides() {
        assert!(refusal(r#"{"name":"a\u0000b"}"#).contains("NUL"));
        assert!(refusal(r#"{"name":"a\\\u0000b"}"#).contains("NUL"));
        assert!(parse::<Body>(br#"{"name":"a\\u0000b"}"#).is_ok());
    }

    #[test]
    fn knows_json_when_it_is_declared() {
        let is_json = |value: &str| is_json(&value.parse().unwrap());
        assert!(is_json("application/json; charset=utf-8") && is_json("Application/JSON"));
        assert!(is_json("application/problem+json"));
        assert!(!is_json("text/plain") && !is_json("application/jsonx"));
    }
}
