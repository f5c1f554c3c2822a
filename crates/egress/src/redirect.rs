//! Following a redirect, as the Fetch standard says a client does (<https://fetch.spec.whatwg.org/#http-redirect-fetch>).

use bytes::Bytes;
use http::{
    HeaderMap, HeaderName, Method, StatusCode,
    header::{CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_LOCATION, CONTENT_TYPE, LOCATION},
};

use crate::{error::EgressError, request::Request};

/// Whether the answer asks the client to go elsewhere.
pub(crate) fn is_redirect(status: StatusCode, headers: &HeaderMap) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308) && headers.contains_key(LOCATION)
}

/// Turns `request` into the one that follows the redirect.
pub(crate) fn advance(request: &mut Request, status: StatusCode, headers: &HeaderMap) -> Result<(), EgressError> {
    let location = headers.get(LOCATION).ok_or(EgressError::RedirectInvalid)?;
    let location = std::str::from_utf8(location.as_bytes()).map_err(|_| EgressError::RedirectInvalid)?;
    let next = request.url.join(location).map_err(|_| EgressError::RedirectInvalid)?;
    if next.origin() != request.url.origin() {
        drop_sensitive(&mut request.headers);
    }
    if becomes_get(status, &request.method) {
        request.method = Method::GET;
        request.body = Bytes::new();
        for described_body in [CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_LOCATION, CONTENT_TYPE] {
            request.headers.remove(described_body);
        }
    }
    request.url = next;
    Ok(())
}

fn becomes_get(status: StatusCode, method: &Method) -> bool {
    match status {
        StatusCode::MOVED_PERMANENTLY | StatusCode::FOUND => method == Method::POST,
        StatusCode::SEE_OTHER => method != Method::GET && method != Method::HEAD,
        _ => false,
    }
}

fn drop_sensitive(headers: &mut HeaderMap) {
    let sensitive: Vec<HeaderName> =
        headers.iter().filter(|(_, value)| value.is_sensitive()).map(|(name, _)| name.clone()).collect();
    for name in sensitive {
        headers.remove(name);
    }
}
