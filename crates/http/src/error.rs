use std::fmt;
use std::sync::Arc;

use actix_web::http::StatusCode;
use omni_domain::{ErrorKind, Failure, Invalid, Role};

/// What an endpoint answers instead of its reply. It says two things: one to the caller, and one to the log.
pub struct ApiError {
    kind: ErrorKind,
    code: &'static str,
    detail: String,
    retry_after: Option<u32>,
    allow: Option<String>,
    cause: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// What the caller is told of a failure that is ours.
const INTERNAL: &str =
    "Something went wrong on our side. The request id in the x-request-id header helps to find out what.";

impl ApiError {
    /// An error of this kind, with what the caller is told.
    pub fn new(kind: ErrorKind, code: &'static str, detail: impl Into<String>) -> Self {
        Self { kind, code, detail: detail.into(), retry_after: None, allow: None, cause: None }
    }

    /// A field is wrong.
    pub fn invalid(field: &'static str, problem: impl Into<String>) -> Self {
        Invalid::new(field, problem).into()
    }

    /// The request as a whole is wrong.
    pub fn malformed(detail: impl Into<String>) -> Self {
        Self::new(ErrorKind::Invalid, "malformed_request", detail)
    }

    /// It does not exist, or the caller must not learn that it does.
    #[must_use]
    pub fn not_found() -> Self {
        Self::new(ErrorKind::NotFound, "not_found", "not found")
    }

    /// The caller may not.
    pub fn forbidden(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(ErrorKind::Forbidden, code, detail)
    }

    /// Ours to mend; the caller learns nothing of `cause`.
    pub fn internal(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self { cause: Some(cause.into()), ..Self::new(ErrorKind::Internal, "internal_error", INTERNAL) }
    }

    /// A failure that others look at, too.
    #[must_use]
    pub fn shared<F: Failure>(failure: &Arc<F>) -> Self {
        Self { cause: Some(Box::new(Arc::clone(failure))), ..Self::without_cause(&**failure) }
    }

    fn without_cause(failure: &impl Failure) -> Self {
        let kind = failure.kind();
        let detail = if kind == ErrorKind::Internal { INTERNAL.to_owned() } else { failure.to_string() };
        Self { retry_after: failure.retry_after(), ..Self::new(kind, failure.code(), detail) }
    }

    /// The path exists, but not with this method.
    pub(crate) fn method_not_allowed(allow: String) -> Self {
        Self {
            detail: format!("this path takes {allow}"),
            allow: Some(allow),
            ..Self::new(ErrorKind::Unsupported, "method_not_allowed", "")
        }
    }

    /// The methods that the path does take, on the answer to one that it does not.
    pub(crate) fn allow(&self) -> Option<&str> {
        self.allow.as_deref()
    }

    /// After how many seconds it makes sense to try again.
    #[must_use]
    pub const fn retry_after(&self) -> Option<u32> {
        self.retry_after
    }

    /// Says after how many seconds it makes sense to try again.
    #[must_use]
    pub const fn retry_in(mut self, seconds: u32) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// What sort of failure it is.
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// A stable name for programs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        self.code
    }

    /// What the caller is told.
    #[must_use]
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// What is behind it, for the log.
    #[must_use]
    pub fn cause(&self) -> Option<&(dyn std::error::Error + Send + Sync)> {
        self.cause.as_deref()
    }

    /// The status code: the only place that knows them.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        if self.allow.is_some() {
            return StatusCode::METHOD_NOT_ALLOWED;
        }
        match self.kind {
            ErrorKind::Invalid => StatusCode::BAD_REQUEST,
            ErrorKind::Unauthenticated => StatusCode::UNAUTHORIZED,
            ErrorKind::Forbidden => StatusCode::FORBIDDEN,
            ErrorKind::NotFound => StatusCode::NOT_FOUND,
            ErrorKind::Conflict => StatusCode::CONFLICT,
            ErrorKind::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            ErrorKind::Unsupported => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            ErrorKind::RateLimited => StatusCode::TOO_MANY_REQUESTS,
            ErrorKind::Upstream => StatusCode::BAD_GATEWAY,
            ErrorKind::UpstreamTimeout => StatusCode::GATEWAY_TIMEOUT,
            ErrorKind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            ErrorKind::StorageFull => StatusCode::INSUFFICIENT_STORAGE,
            ErrorKind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

impl fmt::Debug for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiError")
            .field("kind", &self.kind)
            .field("code", &self.code)
            .field("detail", &self.detail)
            .field("cause", &self.cause)
            .finish_non_exhaustive()
    }
}

impl<F: Failure> From<F> for ApiError {
    fn from(failure: F) -> Self {
        let described = Self::without_cause(&failure);
        Self { cause: Some(Box::new(failure)), ..described }
    }
}

/// The sentence for a role that is too low, for documents and tests.
pub(crate) fn role_sentence(role: Role) -> String {
    format!("{role} or higher")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_not_the_callers_fault_and_not_a_bug() {
        let error = ApiError::new(ErrorKind::StorageFull, "storage_full", "no space");
        assert_eq!((error.status().as_u16(), error.detail()), (507, "no space"));
    }
}
