//! Clients that are another process than this one: bash opens connections by itself, and can be started as anybody,
//! anywhere.

use std::net::IpAddr;
use std::process::Stdio;

use omni_testkit::PATIENCE;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

/// Sends standard input, and prints what comes back.
const EXCHANGE: &str = r#"exec 3<>"/dev/tcp/$1/$2" && cat >&3 && cat <&3"#;
/// Sends standard input, and goes.
const SEND: &str = r#"exec 3<>"/dev/tcp/$1/$2" && cat >&3"#;

/// What came of a connection.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It was refused.
    Refused,
    /// The status of the answer, and its body.
    Answered(u16, String),
}

/// Has `shell`, a command that ends where bash's arguments begin, ask a server.
pub(crate) async fn ask(shell: Command, address: IpAddr, port: u16, request: &str) -> Outcome {
    let (said, complained) = run(shell, EXCHANGE, address, port, request).await;
    if complained.contains("Connection refused") {
        return Outcome::Refused;
    }
    let (head, body) = said.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {said} {complained}"));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap();
    Outcome::Answered(status, body.to_owned())
}

/// Has it send a request and go without an answer.
pub(crate) async fn send(shell: Command, address: IpAddr, port: u16, request: &str) {
    let (_, complained) = run(shell, SEND, address, port, request).await;
    assert_eq!(complained, "");
}

async fn run(mut shell: Command, script: &str, address: IpAddr, port: u16, request: &str) -> (String, String) {
    let mut process = shell
        .args(["-c", script, "bash", &address.to_string(), &port.to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut stdin = process.stdin.take().unwrap();
    // A shell whose connection was refused reads nothing.
    let _ = stdin.write_all(request.as_bytes()).await;
    drop(stdin);
    let output = tokio::time::timeout(PATIENCE, process.wait_with_output()).await.expect("an answer in time").unwrap();
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr))
}
