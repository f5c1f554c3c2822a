//! Google's embeddings, a batch at a time.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{EmbeddingLine, EmbeddingWire, Most, Reply};
use crate::embedding::Purpose;
use crate::error::ModelError;
use crate::remote::Complaint;
use crate::target::{ModelTarget, below};
use crate::wire::Unreadable;
use crate::wire::gemini::{base_and_headers, collection_and_name};

/// Google takes 100 texts, and 20 000 tokens of them.
const MOST: Most = Most { texts: 100, tokens: 10_000 };

pub(super) fn line_to(target: &ModelTarget, dimensions: Option<u32>) -> Result<EmbeddingLine, ModelError> {
    let (base, headers) = base_and_headers(target, "application/json")?;
    let (collection, name) = collection_and_name(&target.model);
    let url = below(&base, &[collection, &format!("{name}:batchEmbedContents")]);
    let wire = Gemini { model: format!("{collection}/{name}"), dimensions };
    Ok(EmbeddingLine { url, headers, wire: Box::new(wire), most: MOST })
}

#[derive(Debug)]
struct Gemini {
    /// With its collection, as each request of a batch repeats it.
    model: String,
    dimensions: Option<u32>,
}

#[derive(Serialize)]
struct Body<'a> {
    requests: Vec<Request<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Request<'a> {
    model: &'a str,
    content: Content<'a>,
    task_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    output_dimensionality: Option<u32>,
}

#[derive(Serialize)]
struct Content<'a> {
    parts: [Part<'a>; 1],
}

#[derive(Serialize)]
struct Part<'a> {
    text: &'a str,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Response {
    embeddings: Option<Vec<Embedding>>,
    usage_metadata: Option<Totals>,
    error: Option<Value>,
}

#[derive(Deserialize)]
struct Embedding {
    values: Vec<f32>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Totals {
    prompt_token_count: Option<u64>,
}

impl EmbeddingWire for Gemini {
    fn body(&self, texts: &[String], purpose: Purpose) -> serde_json::Result<Vec<u8>> {
        let task_type = match purpose {
            Purpose::Document => "RETRIEVAL_DOCUMENT",
            Purpose::Query => "RETRIEVAL_QUERY",
        };
        let requests = texts.iter().map(|text| Request {
            model: &self.model,
            content: Content { parts: [Part { text }] },
            task_type,
            output_dimensionality: self.dimensions,
        });
        serde_json::to_vec(&Body { requests: requests.collect() })
    }

    fn read(&self, body: &[u8]) -> Result<Reply, Unreadable> {
        let response: Response = serde_json::from_slice(body)?;
        if let Some(error) = response.error {
            return Err(Unreadable::Complaint(Complaint::of(&error)));
        }
        let embeddings = response.embeddings.ok_or(Unreadable::NotOfThisWire)?;
        let vectors = embeddings.into_iter().map(|embedding| embedding.values).collect();
        Ok(Reply::in_order(vectors, response.usage_metadata.and_then(|usage| usage.prompt_token_count)))
    }
}
