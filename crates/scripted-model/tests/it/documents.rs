use omni_scripted_model::{Script, ScriptedModel};
use serde_json::{Value, json};

use crate::client::{END, SOON, read_until, read_whole, send};

async fn ask(server: &ScriptedModel, path: &str, body: &Value) -> (String, Value) {
    let answer = read_whole(&mut send(server, path, "authorization: Bearer sk-1\r\n", &body.to_string()).await).await;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.lines().next().unwrap().to_owned(), serde_json::from_str(body).unwrap_or_default())
}

fn numbers(vector: &Value) -> Vec<f64> {
    vector.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

#[tokio::test]
async fn every_wire_gives_the_same_vectors() {
    let server = ScriptedModel::start().await.unwrap();
    let input = json!({"model": "vectors-8", "input": ["red apple", "blue sky"]});
    let (_, openai) = ask(&server, "/v1/embeddings", &input).await;
    assert_eq!(openai["usage"], json!({"prompt_tokens": 4, "total_tokens": 4}));
    assert_eq!(openai["data"][1]["index"], 1);
    let of_openai = [&openai["data"][0]["embedding"], &openai["data"][1]["embedding"]];
    assert_eq!(numbers(of_openai[0]).len(), 8);
    let (_, azure) = ask(&server, "/openai/deployments/vectors-8/embeddings?api-version=1", &input).await;
    assert_eq!(azure["data"], openai["data"]);
    let (_, ollama) = ask(&server, "/api/embed", &input).await;
    assert_eq!([&ollama["embeddings"][0], &ollama["embeddings"][1]], of_openai);
    let request = |text| json!({"model": "models/vectors-8", "content": {"parts": [{"text": text}]}});
    let requests = json!({"requests": [request("red apple"), request("blue sky")]});
    let (_, gemini) = ask(&server, "/v1beta/models/vectors-8:batchEmbedContents", &requests).await;
    assert_eq!([&gemini["embeddings"][0]["values"], &gemini["embeddings"][1]["values"]], of_openai);
}

#[tokio::test]
async fn dimensions_are_given_as_asked() {
    let server = ScriptedModel::start().await.unwrap();
    let (_, openai) = ask(&server, "/v1/embeddings", &json!({"model": "ranks", "input": ["a"], "dimensions": 3})).await;
    assert_eq!(numbers(&openai["data"][0]["embedding"]).len(), 3);
    let strict = json!({"model": "vectors-8", "input": ["a"], "dimensions": 3});
    assert!(ask(&server, "/mistral/v1/embeddings", &strict).await.0.contains(" 400 "));
}

#[tokio::test]
async fn rankings_are_by_words_in_common() {
    let server = ScriptedModel::start().await.unwrap();
    let mut body = json!({"model": "ranks", "query": "a red apple", "documents": ["sky", "an Apple", "a red apple"]});
    body["top_n"] = json!(2);
    let (_, ranking) = ask(&server, "/v1/rerank", &body).await;
    let best = json!([{"index": 2, "relevance_score": 0.3}, {"index": 1, "relevance_score": 0.1}]);
    assert_eq!(ranking["results"], best);
    body["top_k"] = json!(1);
    assert_eq!(ask(&server, "/voyage/v1/rerank", &body).await.1["data"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn what_no_provider_takes_is_refused() {
    let server = ScriptedModel::start().await.unwrap();
    for (path, body, status) in [
        ("/v1/embeddings", json!({"model": "vectors-8", "input": []}), 400),
        ("/v1/embeddings", json!({"model": "vectors-8", "input": [""]}), 400),
        ("/v1/embeddings", json!({"model": "vectors-8"}), 400),
        ("/v1/embeddings", json!({"model": "text-embedding-3", "input": ["a"]}), 404),
        ("/openai/deployments/vectors-8/embeddings", json!({"input": ["a"]}), 404),
        ("/v1beta/models/vectors-8:batchEmbedContents", json!({"requests": [{"content": {}}]}), 400),
        ("/v1/rerank", json!({"model": "ranks", "query": "a"}), 400),
        ("/v1/rerank", json!({"model": "error-503", "query": "a", "documents": ["b"]}), 503),
    ] {
        let (head, _) = ask(&server, path, &body).await;
        assert!(head.contains(&format!(" {status} ")), "{path} {body}: {head}");
    }
}

#[tokio::test]
async fn scripts_come_in_turn_and_the_last_one_stays() {
    let server = ScriptedModel::start().await.unwrap();
    server.script_in_turn("flaky", [Script::error(503), Script::error(429), Script::vectors(2)]);
    let body = json!({"model": "flaky", "input": ["a"]});
    for status in ["503", "429", "200", "200"] {
        assert!(ask(&server, "/v1/embeddings", &body).await.0.contains(status));
    }
}

#[tokio::test]
async fn flaws_are_as_they_are_called() {
    let server = ScriptedModel::start().await.unwrap();
    let embed = async |flaw: &str| {
        let body = json!({"model": format!("vectors-4-{flaw}"), "input": ["a", "b"]});
        ask(&server, "/v1/embeddings", &body).await.1["data"].clone()
    };
    assert_eq!(embed("short").await.as_array().unwrap().len(), 1);
    assert_eq!(embed("mixed").await[1]["embedding"].as_array().unwrap().len(), 5);
    assert_eq!(embed("nan").await[1]["embedding"][0], Value::Null);
    assert_eq!(embed("infinite").await[1]["embedding"][0], 1e300);
    assert_eq!(embed("zero").await[1]["embedding"], json!([0, 0, 0, 0]));
    assert_eq!(embed("twice").await[1]["index"], 0);
    assert_eq!(embed("reversed").await[0]["index"], 1);
    assert_eq!(embed("page").await, Value::Null);
    let raw = async |model: &str, mark: &str| {
        let body = json!({"model": model, "input": ["a", "b"]}).to_string();
        read_until(&mut send(&server, "/v1/embeddings", "", &body).await, mark).await
    };
    assert!(!raw("vectors-4-half", END).await.contains(END));
    assert!(raw("vectors-4-flood", &" ".repeat(60_000)).await.len() > 60_000);
    server.until(SOON, |tally| tally.cancelled == 1).await.unwrap();
}
