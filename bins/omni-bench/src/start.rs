//! From start to ready, and how much memory is taken by doing nothing.

use std::time::Duration;

use tokio::time::sleep;

use crate::bench::Bench;
use crate::load::closed_loop;
use crate::report::{Wanted, judge, part, say};
use crate::sample::{Sample, milliseconds};
use crate::server::Server;
use crate::workspace::people;

/// How long nothing is asked before memory is looked at.
const IDLE: Duration = Duration::from_secs(5);
const BURST_CLIENTS: usize = 32;

pub(crate) async fn measure(bench: &Bench) -> anyhow::Result<()> {
    part("Start and memory");
    let rounds = bench.rounds(9, 3);
    // Migrates.
    Server::start(bench, &[]).await?.stop().await?;
    bench.database.seed().await?;
    let mut given = Vec::new();
    for _ in 0..rounds {
        let server = Server::start(bench, &[]).await?;
        given.push(server.took);
        server.stop().await?;
    }
    judge_start("to ready with given servers", given, 0.3);
    embedded(bench).await?;
    memory(bench).await
}

async fn embedded(bench: &Bench) -> anyhow::Result<()> {
    let home = tempfile::Builder::new().prefix("omni-bench-home-").tempdir()?;
    let first = Server::start_embedded(bench, home.path()).await?;
    say(&format!("        the very first start, which makes the database: {:.0} ms", milliseconds(first.took)));
    first.stop().await?;
    let mut warm = Vec::new();
    for _ in 0..bench.rounds(5, 2) {
        let server = Server::start_embedded(bench, home.path()).await?;
        warm.push(server.took);
        server.stop().await?;
    }
    judge_start("to ready with servers of its own", warm, 2.0);
    Ok(())
}

fn judge_start(what: &str, took: Vec<Duration>, wanted: f64) {
    let took = Sample::of(took);
    let compared =
        format!("median of {} starts on a migrated database, {:.0} ms the slowest", took.len(), took.quantile(100));
    judge(what, &compared, took.median() / 1000.0, " s", Wanted::Under(wanted));
}

async fn memory(bench: &Bench) -> anyhow::Result<()> {
    let server = Server::start(bench, &[]).await?;
    sleep(IDLE).await;
    judge("memory after the start", "VmRSS after 5 s idle", server.resident()?, " MiB", Wanted::Under(30.0));
    let people = people(server.address(), BURST_CLIENTS).await?;
    let requests: Vec<Vec<u8>> = people.iter().map(|person| person.get("/internal/apps")).collect();
    let lasting = Duration::from_secs(5);
    let load = closed_loop(server.address(), &requests, BURST_CLIENTS, lasting).await?;
    sleep(IDLE).await;
    let compared = format!("VmRSS after {} requests of {BURST_CLIENTS} clients and 5 s idle", load.latency.len());
    judge("memory after a burst", &compared, server.resident()?, " MiB", Wanted::Under(30.0));
    server.stop().await
}
