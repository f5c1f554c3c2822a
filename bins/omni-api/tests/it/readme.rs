//! The README's walk, run as it stands there.

use std::process::Stdio;

use omni_testkit::TestApi;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

const README: &str = include_str!("../../../../README.md");

/// The lines of the walk: the first code block of its section.
fn walk() -> &'static str {
    let section = README.split("## A walk with curl").nth(1).unwrap();
    section.split("```sh\n").nth(1).unwrap().split("```").next().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newcomer_talks_to_an_agent_by_the_readme() {
    let api = TestApi::start().await;
    let folder = tempfile::tempdir().unwrap();
    // Only the address differs: the test must not need port 8000 for itself.
    let script = walk().replace("127.0.0.1:8000", &api.address().to_string());
    let mut shell = Command::new("bash")
        .args(["-euo", "pipefail", "-s"])
        .current_dir(folder.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    shell.stdin.take().unwrap().write_all(script.as_bytes()).await.unwrap();
    let output = shell.wait_with_output().await.unwrap();
    let (said, complained) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}\n{complained}");
    assert!(said.contains(r#""email":"ada@example.com""#), "signed in: {said}");
    assert!(said.contains(r#"{"type":"token","content":"#), "streamed: {said}");
    assert!(said.contains(r#"{"type":"done""#), "ended: {said}");
    assert!(said.matches("4711").count() >= 3, "quoted what was said, and kept it: {said}");
    assert!(said.contains(r#""role":"agent""#), "the history has the answers: {said}");
}
