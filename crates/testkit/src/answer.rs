use bytes::Bytes;
use reqwest::header::HeaderMap;
use serde_json::Value;

/// What a server answered.
#[derive(Debug, Clone)]
pub struct Answer {
    /// What was asked, for messages.
    pub asked: String,
    /// The status code.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl Answer {
    /// The value of a header.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// The body as JSON.
    ///
    /// # Panics
    /// If it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error} in {self}"))
    }

    /// The body as JSON, after a look at the status.
    ///
    /// # Panics
    /// If the status is another one.
    #[track_caller]
    pub fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{self}");
        self.json()
    }

    /// What the server says of an error, after a look at the status and the shape of the body.
    ///
    /// # Panics
    /// If the status is another one, or the body is not `{"detail": "<a sentence>"}` with or without a code.
    #[track_caller]
    pub fn refusal(&self, status: u16) -> String {
        assert_eq!(self.status, status, "{self}");
        self.detail()
    }

    /// What the server says of an error.
    ///
    /// # Panics
    /// If the body is not of the shape of an error.
    #[track_caller]
    pub fn detail(&self) -> String {
        assert_eq!(self.header("content-type"), Some("application/json"), "{self}");
        let body = self.json();
        let detail = body["detail"].as_str().unwrap_or_default();
        assert!(!detail.is_empty() && body.as_object().is_some_and(|body| body.len() <= 2), "{self}");
        detail.to_owned()
    }

    /// The cookie that the answer sets: its value, and what stands behind that.
    #[must_use]
    pub fn cookie(&self) -> Option<(String, String)> {
        let (pair, attributes) = self.header("set-cookie")?.split_once(';')?;
        Some((pair.to_owned(), attributes.trim().to_owned()))
    }

    /// The answer without what differs from one request to the next: status, headers and body.
    #[must_use]
    pub fn bytes(&self) -> String {
        let mut headers: Vec<String> = self
            .headers
            .iter()
            .filter(|(name, _)| !matches!(name.as_str(), "x-request-id" | "date" | "connection"))
            .map(|(name, value)| format!("{name}: {}", String::from_utf8_lossy(value.as_bytes())))
            .collect();
        headers.sort();
        format!("{}\n{}\n\n{}", self.status, headers.join("\n"), String::from_utf8_lossy(&self.body))
    }
}

impl std::fmt::Display for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let body: String = String::from_utf8_lossy(&self.body).chars().take(600).collect();
        write!(f, "{} answered {}: {body}", self.asked, self.status)
    }
}
