//! OpenAI's embeddings, which Azure, Mistral and most local servers speak too.

use reqwest::header::HeaderMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::Url;

use super::{EmbeddingLine, EmbeddingWire, Most, Reply};
use crate::embedding::Purpose;
use crate::error::ModelError;
use crate::remote::Complaint;
use crate::target::ModelTarget;
use crate::wire::Unreadable;
use crate::wire::azure::Address;
use crate::wire::openai::{base_and_headers_of_mistral, base_and_headers_of_openai, bearer_headers, endpoint};

/// OpenAI and Azure take 2048 texts and 300 000 tokens. Fewer texts keep an answer, with its 20 bytes to a number, small.
const OFFICIAL: Most = Most { texts: 128, tokens: 100_000 };
/// Text Embeddings Inference takes 32 texts unless told otherwise, the least of the servers that are known.
const COMPATIBLE: Most = Most { texts: 32, tokens: 16_000 };
/// Mistral takes 16 384 tokens.
const OF_MISTRAL: Most = Most { texts: 64, tokens: 8_000 };

pub(super) fn line_to_openai(target: &ModelTarget, dimensions: Option<u32>) -> Result<EmbeddingLine, ModelError> {
    let (base, headers) = base_and_headers_of_openai(target, "application/json")?;
    let most = if base.host_str() == Some("api.openai.com") { OFFICIAL } else { COMPATIBLE };
    Ok(line(target, &base, headers, Dimensions::as_openai(dimensions), most))
}

pub(super) fn line_to_mistral(target: &ModelTarget, dimensions: Option<u32>) -> Result<EmbeddingLine, ModelError> {
    let (base, headers) = base_and_headers_of_mistral(target, "application/json")?;
    let dimensions = Dimensions { dimensions: None, output_dimension: dimensions };
    Ok(line(target, &base, headers, dimensions, OF_MISTRAL))
}

pub(super) fn line_to_azure(target: &ModelTarget, dimensions: Option<u32>) -> Result<EmbeddingLine, ModelError> {
    let Address { url, headers, .. } = Address::of(target, "application/json", &["embeddings"])?;
    let wire = OpenAi { model: target.model.clone(), dimensions: Dimensions::as_openai(dimensions) };
    Ok(EmbeddingLine { url, headers, wire: Box::new(wire), most: OFFICIAL })
}

/// A line to a server at home that speaks this format below `base`.
pub(super) fn line_to_compatible(
    target: &ModelTarget,
    base: &Url,
    dimensions: Option<u32>,
) -> Result<EmbeddingLine, ModelError> {
    let headers = bearer_headers(target, "application/json")?;
    Ok(line(target, base, headers, Dimensions::as_openai(dimensions), COMPATIBLE))
}

fn line(target: &ModelTarget, base: &Url, headers: HeaderMap, dimensions: Dimensions, most: Most) -> EmbeddingLine {
    let wire = OpenAi { model: target.model.clone(), dimensions };
    EmbeddingLine { url: endpoint(base, &["embeddings"]), headers, wire: Box::new(wire), most }
}

/// How many dimensions are asked for, by the name that the provider knows.
#[derive(Debug, Clone, Copy, Serialize)]
struct Dimensions {
    #[serde(skip_serializing_if = "Option::is_none")]
    dimensions: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output_dimension: Option<u32>,
}

impl Dimensions {
    const fn as_openai(dimensions: Option<u32>) -> Self {
        Self { dimensions, output_dimension: None }
    }
}

#[derive(Debug)]
struct OpenAi {
    model: String,
    dimensions: Dimensions,
}

#[derive(Serialize)]
struct Body<'a> {
    model: &'a str,
    input: &'a [String],
    #[serde(flatten)]
    dimensions: Dimensions,
}

#[derive(Deserialize)]
struct Response {
    data: Option<Vec<Item>>,
    usage: Option<Totals>,
    error: Option<Value>,
}

#[derive(Deserialize)]
struct Item {
    index: Option<usize>,
    embedding: Vec<f32>,
}

#[derive(Deserialize)]
struct Totals {
    prompt_tokens: Option<u64>,
    total_tokens: Option<u64>,
}

impl EmbeddingWire for OpenAi {
    fn body(&self, texts: &[String], _: Purpose) -> serde_json::Result<Vec<u8>> {
        serde_json::to_vec(&Body { model: &self.model, input: texts, dimensions: self.dimensions })
    }

    fn read(&self, body: &[u8]) -> Result<Reply, Unreadable> {
        let response: Response = serde_json::from_slice(body)?;
        if let Some(error) = response.error {
            return Err(Unreadable::Complaint(Complaint::of(&error)));
        }
        let items = response.data.ok_or(Unreadable::NotOfThisWire)?;
        let input_tokens = response.usage.and_then(|usage| usage.prompt_tokens.or(usage.total_tokens));
        Ok(Reply { vectors: items.into_iter().map(|item| (item.index, item.embedding)).collect(), input_tokens })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::Provider;

    fn url(provider: Provider, base: &str) -> String {
        let target = ModelTarget {
            base_url: Some(base.parse().unwrap()),
            api_key: Some("k".into()),
            ..ModelTarget::new(provider, "m")
        };
        let target = crate::embedding::EmbeddingTarget::new(target);
        super::super::embedding_line_to(&target).unwrap().unwrap().url.into()
    }

    #[test]
    fn the_base_url_of_a_chat_will_do() {
        for base in ["http://a/v1", "http://a/v1/", "http://a/v1/embeddings", "http://a/v1/chat/completions"] {
            assert_eq!(url(Provider::OpenAi, base), "http://a/v1/embeddings", "{base}");
            assert_eq!(url(Provider::Ollama, base), "http://a/v1/embeddings", "{base}");
        }
        assert_eq!(url(Provider::OpenAi, "https://api.openai.com"), "https://api.openai.com/v1/embeddings");
        assert_eq!(url(Provider::Mistral, "https://api.mistral.ai"), "https://api.mistral.ai/v1/embeddings");
        let deployment = "https://x.openai.azure.com/openai/deployments/m/embeddings?api-version=2024-10-21";
        assert_eq!(url(Provider::Azure, "https://x.openai.azure.com/"), deployment);
        let v1 = "https://x.openai.azure.com/openai/v1/embeddings";
        assert_eq!(url(Provider::Azure, "https://x.openai.azure.com/openai/v1/chat/completions"), v1);
    }

    #[test]
    fn every_form_of_answer_is_read() {
        let wire = OpenAi { model: "m".into(), dimensions: Dimensions::as_openai(None) };
        let read = |body: &str| wire.read(body.as_bytes());
        let reply = read(r#"{"data":[{"index":1,"embedding":[1,-2.5]}],"usage":{"total_tokens":3}}"#).unwrap();
        assert_eq!(reply, Reply { vectors: vec![(Some(1), vec![1.0, -2.5])], input_tokens: Some(3) });
        assert_eq!(read(r#"{"data":[]}"#).unwrap(), Reply::default());
        for body in ["", "[]", "{}", r#"{"data":[{"embedding":"AAAA"}]}"#, r#"{"data":[{"embedding":[null]}]}"#] {
            assert!(matches!(read(body), Err(Unreadable::NotOfThisWire)), "{body}");
        }
        assert!(matches!(read(r#"{"error":{"message":"x"}}"#), Err(Unreadable::Complaint(_))));
    }
}
