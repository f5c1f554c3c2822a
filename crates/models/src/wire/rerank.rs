//! The format of `POST …/rerank`: Cohere's, which Jina, Voyage and others took over.

use reqwest::header::HeaderMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::Url;

use super::{Unreadable, json_headers, put_bearer};
use crate::error::ModelError;
use crate::remote::Complaint;
use crate::rerank::{Ranked, RerankTarget};
use crate::target::{below, check_base_url, key_with_text};

/// Everything about asking a reranker.
#[derive(Debug)]
pub(crate) struct RerankLine {
    pub(crate) url: Url,
    /// Among them the key, marked as sensitive.
    pub(crate) headers: HeaderMap,
    pub(crate) wire: Rerank,
}

pub(crate) fn rerank_line_to(target: &RerankTarget) -> Result<RerankLine, ModelError> {
    check_base_url(&target.base_url)?;
    if target.model.trim().is_empty() {
        return Err(ModelError::RerankerUnnamed);
    }
    let mut headers = json_headers("application/json");
    if let Some(key) = key_with_text(target.api_key.as_ref()) {
        put_bearer(&mut headers, key)?;
    }
    let of_voyage = target.base_url.host_str() == Some("api.voyageai.com");
    let wire = Rerank { model: target.model.clone(), top_is_called: if of_voyage { TopName::K } else { TopName::N } };
    Ok(RerankLine { url: below(&target.base_url, &["rerank"]), headers, wire })
}

#[derive(Debug)]
pub(crate) struct Rerank {
    model: String,
    top_is_called: TopName,
}

/// What the number of passages that are wanted is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TopName {
    /// `top_n`.
    N,
    /// `top_k`, as Voyage has it.
    K,
}

#[derive(Serialize)]
struct Body<'a> {
    model: &'a str,
    query: &'a str,
    documents: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    top_n: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_k: Option<usize>,
}

#[derive(Deserialize)]
struct Response {
    /// `data` is Voyage's word for it.
    #[serde(alias = "data")]
    results: Option<Vec<Scored>>,
    error: Option<Value>,
}

#[derive(Deserialize)]
struct Scored {
    index: usize,
    relevance_score: f32,
}

impl Rerank {
    pub(crate) fn body(&self, query: &str, documents: &[String], top: usize) -> serde_json::Result<Vec<u8>> {
        let called = |name| (self.top_is_called == name).then_some(top);
        let (top_n, top_k) = (called(TopName::N), called(TopName::K));
        serde_json::to_vec(&Body { model: &self.model, query, documents, top_n, top_k })
    }

    /// The passages as they came, with nothing checked.
    pub(crate) fn read(body: &[u8]) -> Result<Vec<Ranked>, Unreadable> {
        let response: Response = serde_json::from_slice(body)?;
        if let Some(error) = response.error {
            return Err(Unreadable::Complaint(Complaint::of(&error)));
        }
        let scored = response.results.ok_or(Unreadable::NotOfThisWire)?.into_iter();
        Ok(scored.map(|Scored { index, relevance_score: score }| Ranked { index, score }).collect())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn body(base: &str) -> (String, Value) {
        let target = RerankTarget { model: "m".into(), base_url: base.parse().unwrap(), api_key: None };
        let line = rerank_line_to(&target).unwrap();
        let body = line.wire.body("q", &["a".into(), "b".into()], 1).unwrap();
        (line.url.into(), serde_json::from_slice(&body).unwrap())
    }

    #[test]
    fn voyage_has_a_word_of_its_own() {
        let (url, asked) = body("https://api.jina.ai/v1");
        assert_eq!(url, "https://api.jina.ai/v1/rerank");
        assert_eq!(asked, json!({"model": "m", "query": "q", "documents": ["a", "b"], "top_n": 1}));
        let (url, asked) = body("https://api.voyageai.com/v1/rerank");
        assert_eq!(url, "https://api.voyageai.com/v1/rerank");
        assert_eq!(asked, json!({"model": "m", "query": "q", "documents": ["a", "b"], "top_k": 1}));
    }

    #[test]
    fn both_names_of_the_results_are_read() {
        for name in ["results", "data"] {
            let body = format!(r#"{{"{name}":[{{"index":1,"relevance_score":0.5,"document":{{"text":"x"}}}}]}}"#);
            assert_eq!(Rerank::read(body.as_bytes()).unwrap(), [Ranked { index: 1, score: 0.5 }]);
        }
        for body in ["", "{}", r#"{"results":[{"index":-1,"relevance_score":1}]}"#, r#"{"results":[{"index":0}]}"#] {
            assert!(matches!(Rerank::read(body.as_bytes()), Err(Unreadable::NotOfThisWire)), "{body}");
        }
        assert!(matches!(Rerank::read(br#"{"error":"no"}"#), Err(Unreadable::Complaint(_))));
    }
}
