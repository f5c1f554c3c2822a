//! Ollama's own embeddings.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{EmbeddingLine, EmbeddingWire, Most, Reply, openai};
use crate::embedding::Purpose;
use crate::error::ModelError;
use crate::remote::Complaint;
use crate::target::{ModelTarget, below, last_segment};
use crate::wire::ollama::OLLAMA;
use crate::wire::openai::bearer_headers;
use crate::wire::{Unreadable, base_url};

/// A computer at home works on one request at a time and may be slow; an answer should come before the deadline.
const MOST: Most = Most { texts: 32, tokens: 16_000 };

pub(super) fn line_to(target: &ModelTarget, dimensions: Option<u32>) -> Result<EmbeddingLine, ModelError> {
    let base = base_url(target, OLLAMA)?;
    if last_segment(&base) == Some("v1") {
        return openai::line_to_compatible(target, &base, dimensions);
    }
    let headers = bearer_headers(target, "application/json")?;
    let wire = Ollama { model: target.model.clone(), dimensions };
    Ok(EmbeddingLine { url: below(&base, &["api", "embed"]), headers, wire: Box::new(wire), most: MOST })
}

#[derive(Debug)]
struct Ollama {
    model: String,
    dimensions: Option<u32>,
}

#[derive(Serialize)]
struct Body<'a> {
    model: &'a str,
    input: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    dimensions: Option<u32>,
}

#[derive(Deserialize)]
struct Response {
    embeddings: Option<Vec<Vec<f32>>>,
    prompt_eval_count: Option<u64>,
    error: Option<Value>,
}

impl EmbeddingWire for Ollama {
    fn body(&self, texts: &[String], _: Purpose) -> serde_json::Result<Vec<u8>> {
        serde_json::to_vec(&Body { model: &self.model, input: texts, dimensions: self.dimensions })
    }

    fn read(&self, body: &[u8]) -> Result<Reply, Unreadable> {
        let response: Response = serde_json::from_slice(body)?;
        if let Some(error) = response.error {
            return Err(Unreadable::Complaint(Complaint::of(&error)));
        }
        let vectors = response.embeddings.ok_or(Unreadable::NotOfThisWire)?;
        Ok(Reply::in_order(vectors, response.prompt_eval_count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::embedding::EmbeddingTarget;
    use crate::provider::Provider;

    #[test]
    fn the_base_url_of_a_chat_will_do() {
        for base in ["http://a:11434", "http://a:11434/api", "http://a:11434/api/embed", "http://a:11434/api/chat"] {
            let base_url = Some(base.parse().unwrap());
            let target = EmbeddingTarget::new(ModelTarget { base_url, ..ModelTarget::new(Provider::Ollama, "m") });
            let line = super::super::embedding_line_to(&target).unwrap().unwrap();
            assert_eq!(line.url.as_str(), "http://a:11434/api/embed", "{base}");
        }
    }
}
