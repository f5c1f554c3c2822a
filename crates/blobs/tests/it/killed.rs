//! A process that is killed while it writes.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::folder::{drafts, open, visible};

const READY: &str = "half of it is written";

/// Not a test but the other process: it is told a folder, writes half a blob, and waits for its end.
#[test]
#[ignore = "the child process of the next test"]
fn writes_half_a_blob() {
    let mut root = String::new();
    std::io::stdin().read_line(&mut root).unwrap();
    if root.is_empty() {
        return;
    }
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
        let blobs = open(Path::new(root.trim_end())).await;
        let mut writer = blobs.writer();
        writer.write(&vec![1; 2 * 1024 * 1024]).await.unwrap();
        println!("{READY}");
        std::io::stdin().read_line(&mut root).unwrap();
    });
}

#[tokio::test]
async fn leaves_nothing_visible_and_nothing_for_good() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["killed::writes_half_a_blob", "--exact", "--ignored", "--nocapture"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    writeln!(stdin, "{}", folder.path().display()).unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().contains(READY)), "the child writes");

    let blobs = open(folder.path()).await;
    assert_eq!(drafts(folder.path()), 1, "the draft of a living process is not touched");
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(drafts(folder.path()), 1, "it had no time to tidy up");
    assert!(visible(folder.path()).is_empty());

    blobs.put_bytes(b"others go on").await.unwrap();
    let blobs = open(folder.path()).await;
    assert_eq!(drafts(folder.path()), 0);
    assert_eq!(visible(blobs.root()).len(), 1);
}
