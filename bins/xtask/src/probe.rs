//! Asking a server on this machine whether it is ready.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{interval, timeout};

/// Between two questions.
const PAUSE: Duration = Duration::from_millis(10);
/// For one answer.
const LONGEST_ANSWER: Duration = Duration::from_secs(5);
/// Bytes of a status line that are read: `HTTP/1.1 200`.
const STATUS: usize = 12;

/// Where a server that listens on `address` is reached from here.
pub(crate) fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

/// Whether anybody listens.
pub(crate) async fn is_taken(address: SocketAddr) -> bool {
    matches!(timeout(LONGEST_ANSWER, TcpStream::connect(reachable(address))).await, Ok(Ok(_)))
}

/// Asks for `path` until the answer is 200. Never gives up; whoever waits sets the limit.
pub(crate) async fn until_ok(address: SocketAddr, path: &str) {
    let mut pause = interval(PAUSE);
    loop {
        pause.tick().await;
        let answer = timeout(LONGEST_ANSWER, status_line(reachable(address), path)).await;
        if matches!(answer, Ok(Ok(line)) if line.ends_with(b" 200")) {
            return;
        }
    }
}

async fn status_line(address: SocketAddr, path: &str) -> std::io::Result<[u8; STATUS]> {
    let mut stream = TcpStream::connect(address).await?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut line = [0; STATUS];
    stream.read_exact(&mut line).await?;
    Ok(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_address_means_this_machine() {
        let reached = |address: &str| reachable(address.parse().unwrap()).to_string();
        assert_eq!(reached("0.0.0.0:8000"), "127.0.0.1:8000");
        assert_eq!(reached("[::]:8000"), "[::1]:8000");
        assert_eq!(reached("10.1.2.3:80"), "10.1.2.3:80");
    }

    #[tokio::test]
    async fn only_200_is_ready() {
        let server = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = server.local_addr().unwrap();
        let serve = async {
            let mut asked = 0;
            for status in ["503 Service Unavailable", "404 Not Found", "200 OK"] {
                let (mut stream, _) = server.accept().await.unwrap();
                let mut request = [0; 19];
                stream.read_exact(&mut request).await.unwrap();
                assert_eq!(&request, b"GET /readyz HTTP/1.");
                stream.write_all(format!("HTTP/1.1 {status}\r\n\r\n").as_bytes()).await.unwrap();
                asked += 1;
            }
            asked
        };
        let (asked, ()) = tokio::join!(serve, until_ok(address, "/readyz"));
        assert_eq!(asked, 3);
        assert!(is_taken(address).await);
    }
}
