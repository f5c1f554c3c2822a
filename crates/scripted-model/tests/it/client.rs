use std::time::Duration;

use omni_scripted_model::ScriptedModel;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

pub(crate) const SOON: Duration = Duration::from_secs(10);

/// Sends a request on a connection of its own.
pub(crate) async fn send(server: &ScriptedModel, path: &str, headers: &str, body: &str) -> TcpStream {
    let mut stream = TcpStream::connect(server.addr()).await.unwrap();
    stream.write_all(request(path, headers, body).as_bytes()).await.unwrap();
    stream
}

pub(crate) fn request(path: &str, headers: &str, body: &str) -> String {
    format!("POST {path} HTTP/1.1\r\nhost: x\r\n{headers}content-length: {}\r\n\r\n{body}", body.len())
}

/// Reads until `mark` is there, or the end.
pub(crate) async fn read_until(stream: &mut TcpStream, mark: &str) -> String {
    let mut read = Vec::new();
    let reading = async {
        while !String::from_utf8_lossy(&read).contains(mark) {
            if stream.read_buf(&mut read).await.unwrap() == 0 {
                break;
            }
        }
    };
    tokio::time::timeout(SOON, reading).await.unwrap();
    String::from_utf8_lossy(&read).into_owned()
}

/// Reads one response that says its length.
pub(crate) async fn read_whole(stream: &mut TcpStream) -> String {
    let mut read = Vec::new();
    let reading = async {
        loop {
            stream.read_buf(&mut read).await.unwrap();
            let text = String::from_utf8_lossy(&read).into_owned();
            let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
            if body.len() == length.parse::<usize>().unwrap() {
                return text;
            }
        }
    };
    tokio::time::timeout(SOON, reading).await.unwrap()
}

/// A chat request in OpenAI's format.
pub(crate) fn chat(model: &str) -> String {
    let message = serde_json::json!({"role": "user", "content": "Guten Tag, Welt"});
    serde_json::json!({"model": model, "stream": true, "messages": [message],
        "stream_options": {"include_usage": true}})
    .to_string()
}

pub(crate) const OPENAI: &str = "/v1/chat/completions";
/// The end of a chunked body.
pub(crate) const END: &str = "\r\n0\r\n\r\n";
