//! Closed loops: so many clients, each of which sends its next request when it has the answer to the last one.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::ensure;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::client::Connection;
use crate::sample::{Sample, number};

/// What is not counted at the beginning.
const WARM_UP: Duration = Duration::from_millis(300);

/// What a loop saw.
#[derive(Debug)]
pub(crate) struct Load {
    /// Answers a second.
    pub(crate) rate: f64,
    pub(crate) latency: Sample,
}

/// Sends each client's own request, `clients` of them at once, for so long. Any answer but 200 is an error.
pub(crate) async fn closed_loop(
    address: SocketAddr,
    requests: &[Vec<u8>],
    clients: usize,
    lasting: Duration,
) -> anyhow::Result<Load> {
    let begin = Instant::now() + WARM_UP;
    let end = begin + lasting;
    let mut loops = JoinSet::new();
    for request in requests.iter().cycle().take(clients).cloned() {
        loops.spawn(one_client(address, request, begin, end));
    }
    let mut latencies = Vec::new();
    while let Some(seen) = loops.join_next().await {
        latencies.extend(seen??);
    }
    Ok(Load { rate: number(latencies.len()) / lasting.as_secs_f64(), latency: Sample::of(latencies) })
}

async fn one_client(
    address: SocketAddr,
    request: Vec<u8>,
    begin: Instant,
    end: Instant,
) -> anyhow::Result<Vec<Duration>> {
    let mut connection = Connection::open(address).await?;
    let mut latencies = Vec::with_capacity(64 * 1024);
    loop {
        let sent = Instant::now();
        if sent >= end {
            return Ok(latencies);
        }
        let status = connection.exchange(&request).await?.status;
        ensure!(status == 200, "status {status}");
        let answered = Instant::now();
        if answered >= begin && answered < end {
            latencies.push(answered - sent);
        }
    }
}
