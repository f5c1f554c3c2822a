#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a measurement for a person at a terminal")]
//! Streams a gigabyte into a folder and out again, and says how fast that was and what memory it took:
//! `cargo run --release -p omni-blobs --example throughput -- /var/tmp/blobs`

use std::sync::Arc;
use std::time::Instant;

use omni_blobs::{BlobOptions, Blobs};
use omni_domain::{Clock, Timestamp};

const GIGABYTE: u64 = 1_000_000_000;
/// About what a network hands over at a time.
const CHUNK: usize = 16 * 1024;

struct NoTime;

impl Clock for NoTime {
    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH
    }
}

/// The most memory that this process ever had, as the kernel counts it.
fn peak() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status.lines().find(|line| line.starts_with("VmHWM")).unwrap_or("VmHWM: unknown here").to_owned()
}

fn report(what: &str, since: Instant) {
    let megabytes = 1000.0 / since.elapsed().as_secs_f64();
    println!("{what}: {megabytes:.0} MB/s, {}", peak());
}

#[tokio::main]
async fn main() {
    let root = std::env::args().nth(1).unwrap();
    let blobs = Blobs::open(root, BlobOptions::default(), Arc::new(NoTime)).await.unwrap();
    println!("before: {}", peak());
    let chunk = vec![42; CHUNK];
    let start = Instant::now();
    let mut writer = blobs.writer();
    while writer.received() < GIGABYTE {
        writer.write(&chunk).await.unwrap();
    }
    let stored = writer.finish().await.unwrap();
    report("written, hashed and flushed", start);

    let start = Instant::now();
    let mut reader = blobs.reader(&stored.hash).await.unwrap();
    while reader.chunk().await.unwrap().is_some() {}
    report("read", start);

    let start = Instant::now();
    blobs.verify(&stored.hash).await.unwrap();
    report("verified", start);
    blobs.remove(&stored.hash).await.unwrap();
}
