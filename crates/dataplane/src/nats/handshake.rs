//! As much of a NATS client as tells that the server lets us in.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// One greeting, from the connection to the answer.
const LONGEST_GREETING: Duration = Duration::from_secs(5);
/// Bytes that a server may say before it lets us in; its first line is under one kilobyte.
const LONGEST_ANSWER: u64 = 64 * 1024;

/// Signs in at `address` and waits for the answer to a ping.
pub(super) async fn greet(address: SocketAddr, user: &str, password: &SecretString) -> io::Result<()> {
    timeout(LONGEST_GREETING, exchange(address, user, password))
        .await
        .unwrap_or_else(|_| Err(ErrorKind::TimedOut.into()))
}

async fn exchange(address: SocketAddr, user: &str, password: &SecretString) -> io::Result<()> {
    let mut stream = TcpStream::connect(address).await?;
    let (reader, mut writer) = stream.split();
    let mut lines = BufReader::new(reader.take(LONGEST_ANSWER)).lines();
    let greeting = lines.next_line().await?.unwrap_or_default();
    if !greeting.starts_with("INFO ") {
        return Err(io::Error::new(ErrorKind::InvalidData, "it does not speak the NATS protocol"));
    }
    let credentials = serde_json::json!({ "user": user, "pass": password.expose_secret(), "verbose": false });
    writer.write_all(format!("CONNECT {credentials}\r\nPING\r\n").as_bytes()).await?;
    let answer = lines.next_line().await?.unwrap_or_default();
    if answer == "PONG" { Ok(()) } else { Err(io::Error::new(ErrorKind::PermissionDenied, answer)) }
}
