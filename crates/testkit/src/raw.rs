use std::net::SocketAddr;

use bytes::Bytes;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::{Answer, PATIENCE};

/// Sends bytes that no well-behaved client would, and reads what comes back until the server closes. The request should
/// say `Connection: close`.
///
/// # Panics
/// If what comes back is no answer of HTTP, or nothing comes.
pub async fn raw(address: SocketAddr, request: &[u8]) -> Answer {
    let exchange = async {
        let mut stream = TcpStream::connect(address).await?;
        stream.write_all(request).await?;
        let mut answer = Vec::new();
        // A server that refuses early may reset what it does not read; what it said before that counts.
        let _ = stream.read_to_end(&mut answer).await;
        std::io::Result::Ok(answer)
    };
    let answer = tokio::time::timeout(PATIENCE, exchange).await.expect("the server answers in time").unwrap();
    let asked = String::from_utf8_lossy(request).lines().next().unwrap_or_default().to_owned();
    parse(asked, &answer)
}

fn parse(asked: String, answer: &[u8]) -> Answer {
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n");
    let end = end.unwrap_or_else(|| panic!("{asked} was answered with {:?}", String::from_utf8_lossy(answer)));
    let head = String::from_utf8_lossy(&answer[..end]).into_owned();
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|status| status.parse().ok()).unwrap();
    let headers: HeaderMap = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.parse::<HeaderName>().unwrap(), HeaderValue::from_str(value).unwrap()))
        .collect();
    Answer { asked, status, headers, body: Bytes::copy_from_slice(&answer[end + 4..]) }
}
