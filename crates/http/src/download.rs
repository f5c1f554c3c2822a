use std::fmt::Write as _;
use std::ops::Range;

use actix_web::HttpResponse;
use actix_web::body::SizedStream;
use actix_web::http::{StatusCode, header};
use bytes::Bytes;
use futures::stream::LocalBoxStream;
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, Schema, SchemaFormat, Type};
use utoipa::openapi::{ContentBuilder, RefOr, Response, ResponseBuilder};

use crate::{ApiError, Reply, Visit};

/// What a browser may do with a file that it shows all the same: nothing.
const CONTENT_SECURITY_POLICY: &str = "sandbox; default-src 'none'; frame-ancestors 'none'";

/// How much of a file a request is for, after RFC 9110.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// All of it.
    Whole,
    /// These bytes.
    Part(Range<u64>),
    /// Bytes that it does not have.
    Nothing,
}

impl Wanted {
    /// Reads `Range` and `If-Range`. Several ranges, and what is no range of bytes, ask for the whole file.
    #[must_use]
    pub fn of(visit: &Visit, tag: &str, bytes: u64) -> Self {
        let is_current = visit.header("if-range").is_none_or(|known| known == quoted(tag));
        match visit.header("range").filter(|_| is_current) {
            Some(range) => Self::read(range, bytes),
            None => Self::Whole,
        }
    }

    fn read(range: &str, bytes: u64) -> Self {
        let spelled = range.strip_prefix("bytes=").and_then(|range| range.trim().split_once('-'));
        let Some((first, last)) = spelled else { return Self::Whole };
        let number =
            |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse::<u64>().ok()).flatten();
        let range = match (first, last) {
            ("", last) => number(last).map(|length| bytes.saturating_sub(length)..bytes),
            (first, "") => number(first).map(|first| first..bytes),
            (first, last) => match (number(first), number(last)) {
                (Some(first), Some(last)) if first <= last => Some(first..last.saturating_add(1).min(bytes)),
                _ => None,
            },
        };
        match range {
            None => Self::Whole,
            Some(range) if range.is_empty() => Self::Nothing,
            Some(range) => Self::Part(range),
        }
    }
}

/// A file for the client to keep: `200`, `206` for a part of it, or `416` for a part that it does not have. Whatever is in
/// it, no browser runs it in the name of this server.
pub struct Download {
    /// What it is called.
    pub name: String,
    /// What it is.
    pub media_type: String,
    /// What it is told from others by, such as its hash.
    pub tag: String,
    /// How many bytes all of it has.
    pub bytes: u64,
    /// How much of it this is.
    pub wanted: Wanted,
    /// The bytes.
    pub content: LocalBoxStream<'static, Result<Bytes, ApiError>>,
}

impl Reply for Download {
    const STATUS: u16 = 200;

    fn respond(self, _visit: &Visit) -> Result<HttpResponse, ApiError> {
        let mut response = HttpResponse::build(match self.wanted {
            Wanted::Whole => StatusCode::OK,
            Wanted::Part(_) => StatusCode::PARTIAL_CONTENT,
            Wanted::Nothing => StatusCode::RANGE_NOT_SATISFIABLE,
        });
        response
            .insert_header((header::ACCEPT_RANGES, "bytes"))
            .insert_header((header::ETAG, quoted(&self.tag)))
            .insert_header((header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY))
            .insert_header((header::CONTENT_DISPOSITION, disposition(&self.name)))
            // Ranges count the bytes of the file, not of what compression would make of it.
            .insert_header((header::CONTENT_ENCODING, "identity"));
        let length = match self.wanted {
            Wanted::Nothing => {
                response.insert_header((header::CONTENT_RANGE, format!("bytes */{}", self.bytes)));
                return Ok(response.finish());
            }
            Wanted::Whole => self.bytes,
            Wanted::Part(Range { start, end }) => {
                let range = format!("bytes {start}-{}/{}", end.saturating_sub(1), self.bytes);
                response.insert_header((header::CONTENT_RANGE, range));
                end.saturating_sub(start)
            }
        };
        response.insert_header((header::CONTENT_TYPE, self.media_type));
        let content = futures::StreamExt::map(self.content, |piece| piece.map_err(|error| broken_off(&error)));
        Ok(response.body(SizedStream::new(length, content)))
    }

    fn describe(_schemas: &mut Vec<(String, RefOr<Schema>)>) -> Response {
        let binary = ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Binary)))
            .build();
        let content = ContentBuilder::new().schema(Some(RefOr::T(Schema::Object(binary)))).build();
        ResponseBuilder::new()
            .description("The file, or the part of it that Range names")
            .content("*/*", content)
            .build()
    }
}

/// A download that fails in the middle can only break off; why stands in the log.
fn broken_off(error: &ApiError) -> std::io::Error {
    tracing::error!(code = error.code(), detail = error.detail(), "a download broke off");
    std::io::Error::other("the file cannot be read to its end")
}

fn quoted(tag: &str) -> String {
    format!("\"{tag}\"")
}

/// `attachment` with a name that no header can be broken out of, after RFC 6266: plain ASCII for old clients, and all of it
/// in percent-encoded UTF-8.
fn disposition(name: &str) -> String {
    let plain: String = name
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ' ') { c } else { '_' })
        .collect();
    let mut header = format!("attachment; filename=\"{plain}\"; filename*=UTF-8''");
    for byte in name.bytes() {
        // The characters that RFC 5987 lets stand, as far as they are letters, digits and the like.
        if byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_') {
            header.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(header, "%{byte:02X}");
        }
    }
    header
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_one_range_and_takes_everything_else_for_the_whole() {
        for (range, wanted) in [
            ("bytes=0-3", Wanted::Part(0..4)),
            ("bytes=4-", Wanted::Part(4..10)),
            ("bytes=-3", Wanted::Part(7..10)),
            ("bytes=-99", Wanted::Part(0..10)),
            ("bytes=2-99", Wanted::Part(2..10)),
            ("bytes=10-", Wanted::Nothing),
            ("bytes=10-12", Wanted::Nothing),
            ("bytes=-0", Wanted::Nothing),
            ("bytes=3-2", Wanted::Whole),
            ("bytes=-", Wanted::Whole),
            ("bytes=0-1,4-5", Wanted::Whole),
            ("bytes=+1-2", Wanted::Whole),
            ("lines=1-2", Wanted::Whole),
            ("bytes=99999999999999999999-", Wanted::Whole),
        ] {
            assert_eq!(Wanted::read(range, 10), wanted, "{range}");
        }
        assert_eq!(Wanted::read("bytes=0-0", 0), Wanted::Nothing);
    }

    #[test]
    fn a_name_breaks_out_of_no_header() {
        let header = disposition("a\"; filename=\"evil.exe\r\nSet-Cookie: x=y\u{202e}gpj.pdf");
        assert!(!header.contains(['\r', '\n', '\u{202e}']) && header.is_ascii(), "{header}");
        assert_eq!(header.matches('"').count(), 2, "{header}");
        assert_eq!(disposition("ü.pdf"), "attachment; filename=\"_.pdf\"; filename*=UTF-8''%C3%BC.pdf");
    }
}
