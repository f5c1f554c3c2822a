use std::cell::RefCell;
use std::net::SocketAddr;
use std::rc::Rc;

use actix_web::HttpRequest;
use actix_web::cookie::Cookie;
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use actix_web::http::uri::Authority;
use mime::Mime;

use crate::ApiError;
use crate::body::is_json;
use crate::intake::{Gathered, Share};

/// A request on its way through the house: its head, the parameters that its path matched, and what the answer is to carry
/// besides the reply.
#[derive(Debug, Clone)]
pub struct Visit {
    head: HttpRequest,
    parameters: Rc<[(String, String)]>,
    request_id: Rc<str>,
    cookies: Rc<RefCell<Vec<Cookie<'static>>>>,
    answer_headers: Rc<RefCell<Vec<(HeaderName, HeaderValue)>>>,
    share: Rc<Share>,
}

/// What a connection remembers of itself: where the server took it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NearEnd(pub(crate) SocketAddr);

impl Visit {
    pub(crate) fn new(
        head: HttpRequest,
        parameters: Rc<[(String, String)]>,
        request_id: Rc<str>,
        share: Share,
    ) -> Self {
        Self {
            head,
            parameters,
            request_id,
            cookies: Rc::default(),
            answer_headers: Rc::default(),
            share: Rc::new(share),
        }
    }

    /// What the request is called in logs and in the `x-request-id` of its answer.
    #[must_use]
    pub fn request_id(&self) -> &str {
        &self.request_id
    }

    /// The request's headers.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        self.head.headers()
    }

    /// A header's value, if it is there once and of visible ASCII.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.head.headers().get_all(name);
        let only = values.next()?;
        if values.next().is_some() {
            return None;
        }
        only.to_str().ok()
    }

    /// The host that the request was sent to, as its `Host` header or its target says. Forged hosts say what they like,
    /// so this decides nothing but whether two of the caller's own claims agree.
    #[must_use]
    pub fn host(&self) -> Option<&str> {
        self.header("host").or_else(|| self.authority())
    }

    /// The socket's other end. Forwarding headers are not looked at.
    #[must_use]
    pub fn peer(&self) -> Option<SocketAddr> {
        self.head.peer_addr()
    }

    /// The method's word.
    #[must_use]
    pub fn method(&self) -> &str {
        self.head.method().as_str()
    }

    /// The socket's near end: where this server took the connection.
    #[must_use]
    pub fn near_end(&self) -> Option<SocketAddr> {
        self.head.conn_data().map(|NearEnd(address)| *address)
    }

    /// The host that the request's target names, if it names one: only a proxy is asked so.
    #[must_use]
    pub fn authority(&self) -> Option<&str> {
        self.head.uri().authority().map(Authority::as_str)
    }

    /// Whether the method promises to change nothing.
    #[must_use]
    pub fn is_safe(&self) -> bool {
        self.head.method().is_safe()
    }

    /// The path of the request.
    #[must_use]
    pub fn path(&self) -> &str {
        self.head.path()
    }

    /// The query string as it was sent.
    #[must_use]
    pub fn query_string(&self) -> &str {
        self.head.query_string()
    }

    /// The value of a cookie.
    #[must_use]
    pub fn cookie(&self, name: &str) -> Option<String> {
        self.head.cookie(name).map(|cookie| cookie.value().to_owned())
    }

    /// Whether the caller asks for this media type before all others: by its weight, or where weights are equal by its
    /// place.
    #[must_use]
    pub fn prefers(&self, media_type: &str) -> bool {
        self.header("accept").is_some_and(|accept| preferred(accept).eq_ignore_ascii_case(media_type))
    }

    /// What the body is said to be, if that is a media type.
    pub(crate) fn content_type(&self) -> Option<Mime> {
        self.header("content-type").and_then(|value| value.parse().ok())
    }

    /// Whether the body is said to be JSON, whatever its parameters.
    #[must_use]
    pub fn sends_json(&self) -> bool {
        self.content_type().is_some_and(|media| is_json(&media))
    }

    /// Whether the body is said to be a form with files.
    #[must_use]
    pub fn sends_form(&self) -> bool {
        self.content_type().is_some_and(|media| media.essence_str() == mime::MULTIPART_FORM_DATA.essence_str())
    }

    /// Gives the answer a cookie.
    pub fn set_cookie(&self, cookie: Cookie<'static>) {
        self.cookies.borrow_mut().push(cookie);
    }

    /// Gives the answer a header, whatever it will be.
    pub fn set_header(&self, name: HeaderName, value: impl Into<HeaderValue>) {
        self.answer_headers.borrow_mut().push((name, value.into()));
    }

    pub(crate) fn take_headers(&self) -> Vec<(HeaderName, HeaderValue)> {
        self.answer_headers.take()
    }

    pub(crate) fn take_cookies(&self) -> Vec<Cookie<'static>> {
        self.cookies.take()
    }

    /// Gathers a body, or a part of one, of at most so many bytes. What it holds counts until the request is answered.
    pub(crate) fn gather(&self, most: usize) -> Gathered<'_> {
        self.share.gather(most)
    }

    /// A parameter of the path.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// A parameter of the query string that must not be there twice.
    ///
    /// # Errors
    /// When it is there twice: two answers to one question are a mistake or an attack.
    pub fn query_parameter(&self, name: &'static str) -> Result<Option<String>, ApiError> {
        let mut values = url::form_urlencoded::parse(self.query_string().as_bytes())
            .filter_map(|(known, value)| (known == name).then(|| value.into_owned()));
        let first = values.next();
        if values.next().is_some() {
            return Err(ApiError::invalid(name, "given more than once"));
        }
        Ok(first)
    }
}

/// The media type with the highest weight, the first of several; nothing is as good as one that is not wanted.
fn preferred(accept: &str) -> &str {
    let (mut best, mut highest) = ("", 0.0);
    for range in accept.split(',') {
        let mut parts = range.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default();
        let weight = parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
        // A weight that is none is as if it were left out.
        let weight: f32 = weight.and_then(|weight| weight.parse().ok()).unwrap_or(1.0);
        if weight > highest {
            (best, highest) = (name, weight);
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_weight_wins_and_then_the_first() {
        assert_eq!(preferred("application/json"), "application/json");
        assert_eq!(preferred("text/event-stream, application/json"), "text/event-stream");
        assert_eq!(preferred("text/event-stream;q=0.1, application/json;q=0.9"), "application/json");
        assert_eq!(preferred("text/event-stream; q=0.5,application/json"), "application/json");
        assert_eq!(preferred("application/json;q=0, text/event-stream;q=0.1"), "text/event-stream");
        assert_eq!(preferred("application/json; charset=utf-8; q=0.8, */*;q=0.7"), "application/json");
        assert_eq!(preferred("application/json;q=0"), "");
    }
}
