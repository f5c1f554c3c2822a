use std::io::{self, Write};

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::record::RecordedRequest;

const LONGEST_HEAD: usize = 64 * 1024;
const LONGEST_BODY: usize = 64 * 1024 * 1024;
/// The head of a chunk, before its length is filled in.
const CHUNK_HEAD: &[u8] = b"00000000\r\n";

/// One side of an HTTP/1.1 connection that is kept alive: requests in, responses out.
pub(crate) struct Http {
    stream: TcpStream,
    /// What was read and not yet used.
    inbox: Vec<u8>,
    /// What is to be written with the next [`Http::flush`].
    outbox: Vec<u8>,
    /// Where in the outbox a chunk begins whose length is not known yet.
    chunk: Option<usize>,
}

impl Http {
    pub(crate) fn new(stream: TcpStream) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        Ok(Self { stream, inbox: Vec::new(), outbox: Vec::new(), chunk: None })
    }

    /// The next request, or `None` when the client is done.
    pub(crate) async fn request(&mut self) -> io::Result<Option<RecordedRequest>> {
        let head = loop {
            if let Some(end) = find(&self.inbox, b"\r\n\r\n") {
                break end;
            }
            if self.inbox.len() > LONGEST_HEAD {
                return Err(malformed("the request's head is too long"));
            }
            if self.read().await? == 0 {
                return Ok(None);
            }
        };
        let mut request = parse_head(self.inbox.get(..head).unwrap_or_default())?;
        self.inbox.drain(..head + 4);
        let length = match request.header("content-length") {
            Some(length) => length.parse().map_err(|_| malformed("content-length is no number"))?,
            None if request.header("transfer-encoding").is_some() => return Err(malformed("the body has no length")),
            None => 0,
        };
        if length > LONGEST_BODY {
            return Err(malformed("the request's body is too long"));
        }
        while self.inbox.len() < length {
            if self.read().await? == 0 {
                return Ok(None);
            }
        }
        request.body = self.inbox.drain(..length).collect();
        Ok(Some(request))
    }

    /// Puts a whole response of JSON into the outbox.
    pub(crate) fn respond(&mut self, status: u16, retry_after: Option<u64>, body: &[u8]) {
        let retry_after = retry_after.map_or(String::new(), |seconds| format!("retry-after: {seconds}\r\n"));
        let head = format!(
            "HTTP/1.1 {status} Scripted\r\ncontent-type: application/json\r\n{retry_after}content-length: {}\r\n\r\n",
            body.len()
        );
        self.outbox.extend_from_slice(head.as_bytes());
        self.outbox.extend_from_slice(body);
    }

    /// Puts a whole response that is not JSON into the outbox.
    pub(crate) fn respond_as(&mut self, content_type: &str, body: &[u8]) {
        let length = body.len();
        let head = format!("HTTP/1.1 200 OK\r\ncontent-type: {content_type}\r\ncontent-length: {length}\r\n\r\n");
        self.outbox.extend_from_slice(head.as_bytes());
        self.outbox.extend_from_slice(body);
    }

    /// Puts the head of a streamed response into the outbox.
    pub(crate) fn begin(&mut self, content_type: &str) {
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: {content_type}\r\ncache-control: no-cache\r\n\
             transfer-encoding: chunked\r\n\r\n"
        );
        self.outbox.extend_from_slice(head.as_bytes());
    }

    /// Puts these parts into the outbox, as a piece of a streamed body. All pieces of one flush are one chunk.
    pub(crate) fn body(&mut self, parts: &[&[u8]]) {
        if self.chunk.is_none() {
            self.chunk = Some(self.outbox.len());
            self.outbox.extend_from_slice(CHUNK_HEAD);
        }
        for part in parts {
            self.outbox.extend_from_slice(part);
        }
    }

    /// Puts the end of a streamed body into the outbox.
    pub(crate) fn end(&mut self) {
        self.close_chunk();
        self.outbox.extend_from_slice(b"0\r\n\r\n");
    }

    /// Writes the outbox.
    pub(crate) async fn flush(&mut self) -> io::Result<()> {
        self.close_chunk();
        let written = self.stream.write_all(&self.outbox).await;
        self.outbox.clear();
        written
    }

    fn close_chunk(&mut self) {
        let Some(start) = self.chunk.take() else { return };
        let length = self.outbox.len() - start - CHUNK_HEAD.len();
        if length == 0 {
            // An empty chunk would be the end of the body.
            self.outbox.truncate(start);
            return;
        }
        if let Some(mut head) = self.outbox.get_mut(start..start + CHUNK_HEAD.len()) {
            // There is room for every length that a buffer can have in eight digits; a longer one is cut by the client.
            let _ = write!(head, "{length:08x}");
        }
        self.outbox.extend_from_slice(b"\r\n");
    }

    /// Returns when the client has closed the connection.
    pub(crate) async fn gone(&mut self) {
        while matches!(self.read().await, Ok(1..)) {}
    }

    async fn read(&mut self) -> io::Result<usize> {
        loop {
            self.stream.readable().await?;
            self.inbox.reserve(8 * 1024);
            match self.stream.try_read_buf(&mut self.inbox) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                read => return read,
            }
        }
    }
}

fn parse_head(head: &[u8]) -> io::Result<RecordedRequest> {
    let head = str::from_utf8(head).map_err(|_| malformed("the request's head is not text"))?;
    let mut lines = head.split("\r\n");
    let mut first = lines.next().unwrap_or_default().split(' ');
    let (Some(method), Some(path), Some("HTTP/1.1"), None) = (first.next(), first.next(), first.next(), first.next())
    else {
        return Err(malformed("not an HTTP/1.1 request"));
    };
    let headers = lines
        .map(|line| {
            let (name, value) = line.split_once(':').ok_or_else(|| malformed("a header has no colon"))?;
            Ok((name.trim().to_ascii_lowercase(), value.trim().to_owned()))
        })
        .collect::<io::Result<_>>()?;
    Ok(RecordedRequest { method: method.to_owned(), path: path.to_owned(), headers, body: Vec::new() })
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

fn malformed(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}
