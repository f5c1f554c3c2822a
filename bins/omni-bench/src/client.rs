//! An HTTP/1.1 client that does as little as possible: it shares the processors with what it measures.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, ensure};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::Instant;

const HEAD_END: &[u8] = b"\r\n\r\n";
/// The last chunk of a body in chunks.
const BODY_END: &[u8] = b"\r\n0\r\n\r\n";
const BUFFER: usize = 64 * 1024;
/// What stands between the parts of a form.
const BOUNDARY: &str = "omni-bench-form-boundary";

/// A connection that is kept.
pub(crate) struct Connection {
    socket: TcpStream,
    buffer: Vec<u8>,
}

/// An answer that says how long it is.
pub(crate) struct Answer<'a> {
    pub(crate) status: u16,
    head: &'a [u8],
    body: &'a [u8],
}

/// An answer in chunks, read to its end.
pub(crate) struct Streamed {
    pub(crate) status: u16,
    /// From the request to the first sight of what was looked for.
    pub(crate) first: Option<Duration>,
    /// From the request to the end.
    pub(crate) whole: Duration,
    pub(crate) bytes: Vec<u8>,
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> io::Result<Self> {
        let socket = TcpStream::connect(address).await?;
        socket.set_nodelay(true)?;
        Ok(Self { socket, buffer: Vec::with_capacity(BUFFER) })
    }

    /// Sends a request and reads the answer.
    pub(crate) async fn exchange(&mut self, request: &[u8]) -> io::Result<Answer<'_>> {
        self.socket.write_all(request).await?;
        self.buffer.clear();
        let (body, end) = loop {
            if self.socket.read_buf(&mut self.buffer).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let Some(head) = find(&self.buffer, HEAD_END) else { continue };
            let body = head + HEAD_END.len();
            let length = header(self.buffer.get(..head).unwrap_or_default(), "content-length");
            let length: usize = length.and_then(|length| length.parse().ok()).ok_or(io::ErrorKind::InvalidData)?;
            if self.buffer.len() >= body + length {
                break (body, body + length);
            }
        };
        let head = self.buffer.get(..body).unwrap_or_default();
        Ok(Answer { status: status(head), head, body: self.buffer.get(body..end).unwrap_or_default() })
    }

    /// Sends a request and reads the answer's chunks until the last one, looking for `needle`.
    pub(crate) async fn stream(&mut self, request: &[u8], needle: &[u8]) -> io::Result<Streamed> {
        let mut bytes = Vec::with_capacity(BUFFER);
        let mut first = None;
        let sent = Instant::now();
        self.socket.write_all(request).await?;
        while !bytes.ends_with(BODY_END) {
            if self.socket.read_buf(&mut bytes).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if first.is_none() && find(&bytes, needle).is_some() {
                first = Some(sent.elapsed());
            }
        }
        Ok(Streamed { status: status(&bytes), first, whole: sent.elapsed(), bytes })
    }

    /// Sends a request and reads its answer until `needle` is there.
    pub(crate) async fn begin(&mut self, request: &[u8], needle: &[u8]) -> io::Result<()> {
        self.socket.write_all(request).await?;
        self.buffer.clear();
        while find(&self.buffer, needle).is_none() {
            if self.socket.read_buf(&mut self.buffer).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        Ok(())
    }

    /// Reads until the answer or the connection ends.
    pub(crate) async fn drain(&mut self) -> io::Result<()> {
        while !self.buffer.ends_with(BODY_END) {
            if self.socket.read_buf(&mut self.buffer).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        Ok(())
    }
}

impl Answer<'_> {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        header(self.head, name)
    }

    /// The JSON of an answer that went well.
    pub(crate) fn json(&self) -> anyhow::Result<Value> {
        ensure!(self.status < 300, "status {}: {}", self.status, String::from_utf8_lossy(self.body));
        serde_json::from_slice(self.body).context("the answer is no JSON")
    }
}

/// A request as it goes over the wire.
pub(crate) fn request(method: &str, path: &str, host: SocketAddr, headers: &str, body: &str) -> Vec<u8> {
    let length = if body.is_empty() {
        String::new()
    } else {
        format!("content-type: application/json\r\ncontent-length: {}\r\n", body.len())
    };
    format!("{method} {path} HTTP/1.1\r\nhost: {host}\r\n{headers}{length}\r\n{body}").into_bytes()
}

/// A form with files, all by the name `file`, as it goes over the wire. `headers` are whole lines.
pub(crate) fn form(path: &str, host: SocketAddr, headers: &str, files: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, content) in files {
        let head = format!(
            "--{BOUNDARY}\r\ncontent-disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\
             content-type: application/octet-stream\r\n\r\n"
        );
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(content);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(format!("--{BOUNDARY}--\r\n").as_bytes());
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: {host}\r\n{headers}content-type: multipart/form-data; boundary={BOUNDARY}\r\n\
         content-length: {}\r\n\r\n",
        body.len()
    );
    [head.into_bytes(), body].concat()
}

fn status(head: &[u8]) -> u16 {
    head.get(9..12).and_then(|code| std::str::from_utf8(code).ok()?.parse().ok()).unwrap_or(0)
}

fn header<'a>(head: &'a [u8], name: &str) -> Option<&'a str> {
    head.split(|byte| *byte == b'\n').skip(1).find_map(|line| {
        let (given, value) = std::str::from_utf8(line).ok()?.split_once(':')?;
        given.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

pub(crate) fn find(bytes: &[u8], needle: &[u8]) -> Option<usize> {
    bytes.windows(needle.len()).position(|window| window == needle)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_head() {
        let head = b"HTTP/1.1 204 No Content\r\nX-A: b: c\r\ncontent-length: 0\r\n\r\n";
        assert_eq!(status(head), 204);
        assert_eq!(header(head, "x-a"), Some("b: c"));
        assert_eq!(header(head, "Content-Length"), Some("0"));
        assert_eq!(header(head, "x-b"), None);
    }
}
