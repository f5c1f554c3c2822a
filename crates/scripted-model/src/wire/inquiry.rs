//! Requests that are answered with one document: for vectors and for rankings.

use std::cmp::Reverse;

use serde_json::{Value, json};

use super::{Manner, Wire};
use crate::script::{Flaw, Script};

/// A request for one document.
#[derive(Debug)]
pub(crate) struct Inquiry {
    /// In whose format errors are, and vectors.
    pub wire: Wire,
    pub model: String,
    /// The key that came with the request.
    pub key: String,
    pub wanted: Wanted,
}

#[derive(Debug)]
pub(crate) enum Wanted {
    Vectors { texts: Vec<String>, dimensions: Option<usize> },
    Ranking { query: String, documents: Vec<String>, top: usize, results_are_called: &'static str },
}

impl Inquiry {
    /// The document, with the script's flaw in it.
    pub(crate) fn document(&self, script: &Script) -> Value {
        match &self.wanted {
            Wanted::Vectors { texts, dimensions } => {
                let dimensions = dimensions.unwrap_or(script.dimensions);
                let vectors = texts.iter().map(|text| json!(vector_of(text, dimensions))).collect();
                let tokens = texts.iter().map(|text| text.split_whitespace().count()).sum();
                render(self.wire, &self.model, with_flaw(vectors, script.flaw), script.flaw, tokens)
            }
            Wanted::Ranking { query, documents, top, results_are_called } => {
                let mut ranking: Vec<Value> = ranked(query, documents).into_iter().take(*top).collect();
                match script.flaw {
                    Some(Flaw::Short) => drop(ranking.pop()),
                    Some(Flaw::Twice) => ranking = vec![ranking.first().cloned().unwrap_or_default(); ranking.len()],
                    Some(Flaw::Reversed) => ranking.reverse(),
                    Some(Flaw::NotANumber) => {
                        ranking.iter_mut().for_each(|one| *one = json!({"index": 0, "relevance_score": null}));
                    }
                    _ => {}
                }
                json!({"id": "rerank-scripted", "model": self.model, *results_are_called: ranking})
            }
        }
    }
}

/// The passages from the one with most of the query's words to the one with fewest.
fn ranked(query: &str, documents: &[String]) -> Vec<Value> {
    let asked: Vec<String> = query.split_whitespace().map(str::to_lowercase).collect();
    let shared = |document: &String| {
        let document = document.to_lowercase();
        asked.iter().filter(|word| document.split_whitespace().any(|other| other == *word)).count()
    };
    let mut scored: Vec<(usize, usize)> = documents.iter().map(shared).enumerate().collect();
    scored.sort_by_key(|&(index, score)| (Reverse(score), index));
    let score = |shared: usize| json!(u32::try_from(shared).map_or(0.0, f64::from) / 10.0);
    scored.into_iter().map(|(index, shared)| json!({"index": index, "relevance_score": score(shared)})).collect()
}

/// The sum of a random vector for each word, so that texts with words in common are near to each other.
fn vector_of(text: &str, dimensions: usize) -> Vec<f64> {
    let mut vector = vec![0.0; dimensions];
    for word in text.split_whitespace().map(str::to_lowercase) {
        let mut state = word.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |state, byte| {
            (state ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        for number in &mut vector {
            // A step of Knuth's MMIX generator; its upper bits are the random ones.
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let upper = u32::try_from(state >> 40).unwrap_or_default();
            *number += f64::from(upper) / f64::from(1_u32 << 23) - 1.0;
        }
    }
    vector
}

fn with_flaw(mut vectors: Vec<Value>, flaw: Option<Flaw>) -> Vec<Value> {
    let last = vectors.last_mut().and_then(Value::as_array_mut);
    match (flaw, last) {
        (Some(Flaw::Short), _) => drop(vectors.pop()),
        (Some(Flaw::Mixed), Some(last)) => last.push(json!(1)),
        (Some(Flaw::NotANumber), Some(last)) => last.fill(Value::Null),
        (Some(Flaw::Infinite), Some(last)) => last.fill(json!(1e300)),
        (Some(Flaw::Zero), Some(last)) => last.fill(json!(0)),
        _ => {}
    }
    vectors
}

fn render(wire: Wire, model: &str, vectors: Vec<Value>, flaw: Option<Flaw>, tokens: usize) -> Value {
    match wire {
        Wire::Gemini => {
            let embeddings: Vec<Value> = vectors.into_iter().map(|values| json!({"values": values})).collect();
            json!({"embeddings": embeddings})
        }
        Wire::Ollama => json!({"model": model, "embeddings": vectors, "prompt_eval_count": tokens}),
        Wire::OpenAi(_) | Wire::Anthropic => {
            let item = |(index, embedding): (usize, Value)| {
                let index = if flaw == Some(Flaw::Twice) { 0 } else { index };
                json!({"object": "embedding", "index": index, "embedding": embedding})
            };
            let mut data: Vec<Value> = vectors.into_iter().enumerate().map(item).collect();
            if flaw == Some(Flaw::Reversed) {
                data.reverse();
            }
            json!({"object": "list", "data": data, "model": model,
                "usage": {"prompt_tokens": tokens, "total_tokens": tokens}})
        }
    }
}

/// Reads a request for vectors, as its provider would.
pub(super) fn vectors(wire: Wire, model: String, key: String, body: &Value) -> Result<Inquiry, &'static str> {
    let texts = match wire {
        Wire::Gemini => texts_of_gemini(&model, body)?,
        _ => texts_at(body, "input").ok_or("'input' must be a list of strings")?,
    };
    if texts.is_empty() || texts.iter().any(String::is_empty) {
        return Err("input cannot be an empty string");
    }
    let name = match wire {
        Wire::Gemini => "/requests/0/outputDimensionality",
        Wire::OpenAi(Manner::Mistral) if body.get("dimensions").is_some() => return Err("Extra inputs: dimensions"),
        Wire::OpenAi(Manner::Mistral) => "/output_dimension",
        _ => "/dimensions",
    };
    let dimensions = body.pointer(name).and_then(Value::as_u64).and_then(|count| usize::try_from(count).ok());
    Ok(Inquiry { wire, model, key, wanted: Wanted::Vectors { texts, dimensions } })
}

fn texts_of_gemini(model: &str, body: &Value) -> Result<Vec<String>, &'static str> {
    let requests = body.get("requests").and_then(Value::as_array).ok_or("requests: must not be empty")?;
    let named = |request: &Value| request.get("model").and_then(Value::as_str) == Some(&format!("models/{model}"));
    if !requests.iter().all(named) {
        return Err("requests: each must name the model of the path");
    }
    let text = |request: &Value| request.pointer("/content/parts/0/text")?.as_str().map(str::to_owned);
    requests.iter().map(text).collect::<Option<_>>().ok_or("requests: content is required")
}

/// Reads a request for a ranking. `voyage` is whether it is by Voyage's words.
pub(super) fn ranking(model: String, key: String, body: &Value, voyage: bool) -> Result<Inquiry, &'static str> {
    let query = body.get("query").and_then(Value::as_str).ok_or("query is required")?.to_owned();
    let documents = texts_at(body, "documents").ok_or("documents must be a list of strings")?;
    let (top, results_are_called) = if voyage { ("top_k", "data") } else { ("top_n", "results") };
    let top = body.get(top).and_then(Value::as_u64).and_then(|top| usize::try_from(top).ok());
    let top = top.unwrap_or(documents.len());
    let wanted = Wanted::Ranking { query, documents, top, results_are_called };
    Ok(Inquiry { wire: Wire::OpenAi(Manner::OpenAi), model, key, wanted })
}

fn texts_at(body: &Value, field: &str) -> Option<Vec<String>> {
    body.get(field)?.as_array()?.iter().map(|text| text.as_str().map(str::to_owned)).collect()
}
