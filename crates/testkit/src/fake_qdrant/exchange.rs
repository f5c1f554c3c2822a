//! HTTP/1.1 as far as one client on loopback needs it.

use std::io;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::Mishap;

/// A request.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) method: String,
    pub(super) target: String,
    pub(super) api_key: Option<String>,
    pub(super) body: Vec<u8>,
}

/// An answer.
#[derive(Debug)]
pub(super) struct Reply {
    status: u16,
    content_type: &'static str,
    body: Vec<u8>,
}

impl Reply {
    pub(super) fn json(status: u16, body: &Value) -> Self {
        Self { status, content_type: "application/json", body: body.to_string().into_bytes() }
    }

    pub(super) fn text(status: u16, body: &str) -> Self {
        Self { status, content_type: "text/plain; charset=utf-8", body: body.as_bytes().to_vec() }
    }

    /// How Qdrant says no.
    pub(super) fn error(status: u16, error: &str) -> Self {
        Self::json(status, &json!({ "status": { "error": error }, "time": 0.000_1 }))
    }

    fn bytes(&self) -> Vec<u8> {
        let Self { status, content_type, body } = self;
        let length = body.len();
        let head =
            format!("HTTP/1.1 {status} Said\r\ncontent-type: {content_type}\r\ncontent-length: {length}\r\n\r\n");
        [head.as_bytes(), body].concat()
    }
}

/// The next request of the connection, or `None` if there is none.
pub(super) async fn read(stream: &mut TcpStream) -> io::Result<Option<Asked>> {
    let mut received = Vec::new();
    let head = loop {
        if let Some(head) = received.windows(4).position(|window| window == b"\r\n\r\n") {
            break head;
        }
        if stream.read_buf(&mut received).await? == 0 {
            return Ok(None);
        }
    };
    let mut body = received.split_off(head + 4);
    let head = String::from_utf8_lossy(&received).into_owned();
    let length = header(&head, "content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    while body.len() < length {
        if stream.read_buf(&mut body).await? == 0 {
            return Ok(None);
        }
    }
    let mut words = head.split(' ').map(str::to_owned);
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    Ok(Some(Asked { method, target, api_key: header(&head, "api-key"), body }))
}

fn header(head: &str, name: &str) -> Option<String> {
    head.lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(known, _)| known.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.trim().to_owned())
}

pub(super) async fn write(stream: &mut TcpStream, reply: &Reply) -> io::Result<()> {
    stream.write_all(&reply.bytes()).await
}

/// Does as it was told, and ends the connection where that is part of it.
pub(super) async fn go_wrong(stream: &mut TcpStream, mishap: Mishap) -> io::Result<()> {
    match mishap {
        Mishap::Drop => Err(io::ErrorKind::ConnectionAborted.into()),
        Mishap::Silence => std::future::pending().await,
        Mishap::Answer(status, content_type, body) => write(stream, &Reply { status, content_type, body }).await,
        Mishap::CutOff => {
            let whole = Reply::json(200, &json!({ "result": true, "status": "ok", "time": 0.0 })).bytes();
            stream.write_all(&whole[..whole.len() - 20]).await?;
            Err(io::ErrorKind::ConnectionAborted.into())
        }
    }
}
