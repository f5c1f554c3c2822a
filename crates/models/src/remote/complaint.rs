//! What a provider says when it does not answer.

use std::time::Duration;

use reqwest::StatusCode;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use serde_json::Value;

use super::redact::redact;
use crate::error::ModelError;

/// An error in the words of a provider.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Complaint {
    /// The names of the error, in whatever fields this provider has for them, in lower case.
    names: Vec<String>,
    /// The sentence.
    message: String,
}

/// What is known of the request that was complained about.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) model: &'a str,
    pub(crate) key: Option<&'a str>,
}

impl Complaint {
    /// Reads the body of an error response, in any of the forms that providers have.
    pub(crate) fn read(body: &[u8]) -> Self {
        let value = serde_json::from_slice(body).unwrap_or_else(|_| Value::from(String::from_utf8_lossy(body)));
        // Gemini puts its error into a list when it was asked for a stream.
        let value = value.get(0).unwrap_or(&value);
        Self::of(value.get("error").filter(|error| !error.is_null()).unwrap_or(value))
    }

    /// Reads the value of an `error` field.
    pub(crate) fn of(error: &Value) -> Self {
        let text = |field: &str| error.get(field).and_then(Value::as_str);
        let message = text("message").or_else(|| text("detail")).or_else(|| error.as_str()).or_else(|| {
            // Validation errors of Mistral and of servers made with FastAPI.
            error.pointer("/detail/0/msg").or_else(|| error.pointer("/message/detail/0/msg")).and_then(Value::as_str)
        });
        let names = ["type", "code", "status"].iter().filter_map(|field| text(field));
        let reasons = error.get("details").and_then(Value::as_array).into_iter().flatten();
        let reasons = reasons.filter_map(|detail| detail.get("reason")?.as_str());
        Self {
            names: names.chain(reasons).map(str::to_ascii_lowercase).collect(),
            message: message.unwrap_or_default().to_owned(),
        }
    }

    /// The error for a complaint that came with this status.
    pub(crate) fn with_status(&self, status: StatusCode, headers: &HeaderMap, asked: Asked<'_>) -> ModelError {
        if let Some(error) = self.unmistakable(asked) {
            return error;
        }
        match status.as_u16() {
            401 | 403 => ModelError::CredentialsRefused,
            402 => ModelError::OutOfCredit,
            404 => ModelError::UnknownModel { model: asked.model.to_owned() },
            429 => ModelError::RateLimited { retry_after: retry_after(headers) },
            400 | 409 | 413 | 422 => self.bad_request(asked),
            status @ 500.. => ModelError::Overloaded { status: Some(status), retry_after: retry_after(headers) },
            status => ModelError::NotAModel { status },
        }
    }

    /// The error for a complaint in the middle of an answer.
    pub(crate) fn in_stream(&self, asked: Asked<'_>) -> ModelError {
        let named = |name: &str| self.names.iter().any(|known| known.contains(name));
        self.unmistakable(asked).unwrap_or_else(|| {
            if named("rate_limit") || named("resource_exhausted") {
                ModelError::RateLimited { retry_after: None }
            } else if named("authentication") || named("permission") {
                ModelError::CredentialsRefused
            } else if named("invalid") {
                self.bad_request(asked)
            } else {
                ModelError::Overloaded { status: None, retry_after: None }
            }
        })
    }

    /// What some providers say with a status that means something else.
    fn unmistakable(&self, asked: Asked<'_>) -> Option<ModelError> {
        let named = |names: &[&str]| self.names.iter().any(|known| names.contains(&known.as_str()));
        if named(&["insufficient_quota", "billing_error"]) || self.message.contains("credit balance is too low") {
            Some(ModelError::OutOfCredit)
        } else if named(&["invalid_api_key", "api_key_invalid"]) {
            Some(ModelError::CredentialsRefused)
        } else if named(&["model_not_found", "invalid_model", "deploymentnotfound"]) {
            Some(ModelError::UnknownModel { model: asked.model.to_owned() })
        } else {
            None
        }
    }

    fn bad_request(&self, asked: Asked<'_>) -> ModelError {
        let message = redact(&self.message, asked.key);
        let message = if message.is_empty() { "it gave no reason".to_owned() } else { message };
        ModelError::BadRequest { message }
    }
}

/// The time that a provider asks to wait. A date instead of seconds is as good as nothing: it needs its clock.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let number = |value: &str| value.trim().parse::<f64>().ok();
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok().and_then(number)?;
    // No provider means longer than a day.
    Duration::try_from_secs_f64(seconds).ok().map(|wait| wait.min(Duration::from_secs(24 * 60 * 60)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ASKED: Asked<'_> = Asked { model: "m", key: Some("secret") };

    fn code(status: u16, body: &str) -> &'static str {
        let status = StatusCode::from_u16(status).unwrap();
        Complaint::read(body.as_bytes()).with_status(status, &HeaderMap::new(), ASKED).code()
    }

    #[test]
    fn a_status_is_an_error() {
        for (status, expected) in [
            (302, "not_a_model"),
            (400, "provider_bad_request"),
            (401, "credentials_refused"),
            (402, "out_of_credit"),
            (403, "credentials_refused"),
            (404, "unknown_model"),
            (405, "not_a_model"),
            (413, "provider_bad_request"),
            (422, "provider_bad_request"),
            (429, "provider_rate_limited"),
            (500, "provider_overloaded"),
            (529, "provider_overloaded"),
        ] {
            assert_eq!(code(status, ""), expected, "{status}");
            assert_eq!(code(status, "<html>"), expected, "{status}");
        }
    }

    #[test]
    fn what_is_said_goes_before_the_status() {
        for (status, body, expected) in [
            (
                429,
                r#"{"error":{"message":"x","type":"insufficient_quota","code":"insufficient_quota"}}"#,
                "out_of_credit",
            ),
            (
                400,
                r#"{"type":"error","error":{"type":"invalid_request_error","message":"Your credit balance is too low to"}}"#,
                "out_of_credit",
            ),
            (
                400,
                r#"[{"error":{"code":400,"message":"API key not valid.","status":"INVALID_ARGUMENT","details":[{"reason":"API_KEY_INVALID"}]}}]"#,
                "credentials_refused",
            ),
            (
                400,
                r#"{"object":"error","message":"Invalid model: x","type":"invalid_model","code":"1500"}"#,
                "unknown_model",
            ),
            (404, r#"{"error":{"code":"DeploymentNotFound","message":"x"}}"#, "unknown_model"),
        ] {
            assert_eq!(code(status, body), expected, "{body}");
        }
    }

    #[test]
    fn every_form_of_message_is_read() {
        for body in [
            r#"{"error":{"message":"too long","type":"invalid_request_error"}}"#,
            r#"{"error":"too long"}"#,
            r#"{"object":"error","message":"too long"}"#,
            r#"{"detail":"too long"}"#,
            r#"{"detail":[{"msg":"too long"}]}"#,
            r#"{"object":"error","message":{"detail":[{"msg":"too long"}]}}"#,
            r#"[{"error":{"message":"too long"}}]"#,
            "too long",
        ] {
            assert_eq!(Complaint::read(body.as_bytes()).message, "too long", "{body}");
        }
    }

    #[test]
    fn errors_in_a_stream_are_told_apart() {
        for (kind, expected) in [
            ("overloaded_error", "provider_overloaded"),
            ("rate_limit_error", "provider_rate_limited"),
            ("RESOURCE_EXHAUSTED", "provider_rate_limited"),
            ("invalid_request_error", "provider_bad_request"),
            ("permission_error", "credentials_refused"),
        ] {
            let body = format!(r#"{{"error":{{"type":"{kind}","message":"no, secret"}}}}"#);
            let error = Complaint::read(body.as_bytes()).in_stream(ASKED);
            assert_eq!(error.code(), expected, "{kind}");
            assert!(!error.to_string().contains("secret"));
        }
    }

    #[test]
    fn retry_after_is_read_in_seconds() {
        let read = |value: &str| {
            let headers = HeaderMap::from_iter([(RETRY_AFTER, value.parse().unwrap())]);
            retry_after(&headers)
        };
        assert_eq!(read("7"), Some(Duration::from_secs(7)));
        assert_eq!(read("0.5"), Some(Duration::from_millis(500)));
        assert_eq!(read("1e300"), None);
        assert_eq!(read("-1"), None);
        assert_eq!(read("Wed, 21 Oct 2026 07:28:00 GMT"), None);
    }
}
