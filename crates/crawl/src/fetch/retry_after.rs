//! When a server wants to be asked again (RFC 9110, 10.2.3).

use std::time::{Duration, SystemTime};

use http::{HeaderMap, StatusCode, header::RETRY_AFTER};
use omni_domain::Timestamp;

use crate::pacer::LONGEST_BACK_OFF;

/// The pause for a server that is overloaded and does not say for how long.
const UNSAID: Duration = Duration::from_secs(30);

/// How long to leave the server alone after this answer; `None` if it does not ask for it.
pub(super) fn wait(status: StatusCode, headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    if !matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) {
        return None;
    }
    let said = headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()).and_then(|text| read(text.trim(), now));
    Some(said.unwrap_or(UNSAID).min(LONGEST_BACK_OFF))
}

fn read(text: &str, now: Timestamp) -> Option<Duration> {
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        // More seconds than the number holds are as good as forever.
        return Some(Duration::from_secs(text.parse().unwrap_or(u64::MAX)));
    }
    let moment = httpdate::parse_http_date(text).ok()?;
    Some(moment.duration_since(SystemTime::from(now)).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue, StatusCode, header::RETRY_AFTER};
    use time::macros::datetime;

    use super::wait;

    #[test]
    fn seconds_and_dates_are_read_and_a_day_is_the_most() {
        let now = datetime!(2026-11-25 12:00 UTC);
        for (written, seconds) in [
            (Some("120"), 120),
            (Some(" 7 "), 7),
            (Some("0"), 0),
            (Some("Wed, 25 Nov 2026 12:05:00 GMT"), 300),
            (Some("Wed, 25 Nov 2026 11:00:00 GMT"), 0),
            (Some("Fri, 25 Dec 2026 12:00:00 GMT"), 86_400),
            (Some("99999999999999999999999999"), 86_400),
            (Some("-1"), 30),
            (Some("soon"), 30),
            (None, 30),
        ] {
            let mut headers = HeaderMap::new();
            if let Some(written) = written {
                headers.insert(RETRY_AFTER, HeaderValue::from_static(written));
            }
            for status in [StatusCode::TOO_MANY_REQUESTS, StatusCode::SERVICE_UNAVAILABLE] {
                assert_eq!(wait(status, &headers, now).unwrap().as_secs(), seconds, "{written:?}");
            }
            assert_eq!(wait(StatusCode::OK, &headers, now), None);
        }
    }
}
