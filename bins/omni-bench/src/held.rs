//! More streams than the database has connections for us: whoever asks for something else must not notice.

use std::time::Duration;

use anyhow::ensure;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use crate::bench::Bench;
use crate::client::Connection;
use crate::load::closed_loop;
use crate::model::Model;
use crate::report::{Wanted, judge, part, say};
use crate::sample::{median, number};
use crate::server::Server;
use crate::workspace::{Person, people};

const CONNECTIONS: usize = 4;
const STREAMS: usize = 200;
/// Lasts longer than everything that is measured meanwhile.
const SLOW: &str = "tokens-200-100ms";
const CLIENTS: usize = 4;
const ROUNDS: usize = 3;
const LASTING: Duration = Duration::from_secs(2);

pub(crate) async fn measure(bench: &Bench) -> anyhow::Result<()> {
    part("Requests while 200 slow streams run on 4 database connections");
    let model = Model::start(bench).await?;
    let connections = ("OMNI_DATABASE_CONNECTIONS", CONNECTIONS.to_string());
    let server = Server::start(bench, &[model.allowed(), connections]).await?;
    bench.database.seed().await?;
    let people = people(server.address(), CLIENTS).await?;
    let requests: Vec<Vec<u8>> = people.iter().map(|person| person.get("/internal/apps")).collect();
    let talk = Person::sign_in(server.address(), CLIENTS).await?.talk_to(&model.base_url(), SLOW).await?;

    let alone = closed_loop(server.address(), &requests, CLIENTS, LASTING).await?;
    let mut streams = begin(&server, &talk).await?;
    let mut meanwhile = Vec::new();
    let mut busy = Vec::new();
    for _ in 0..ROUNDS {
        sleep(Duration::from_millis(100)).await;
        busy.push(number(usize::try_from(bench.database.busy_connections().await?)?));
        meanwhile.push(closed_loop(server.address(), &requests, CLIENTS, LASTING).await?);
    }
    let is_over = |ended: Option<Result<_, _>>| ended.is_some();
    ensure!(!is_over(streams.try_join_next()), "a stream ended before the measurement did");
    streams.shutdown().await;

    let p99 = median(meanwhile.iter().map(|load| load.latency.quantile(99)).collect());
    let p50 = median(meanwhile.iter().map(|load| load.latency.median()).collect());
    say(&format!(
        "        {CLIENTS} clients alone: {:.0}/s, p50 {:.2} ms, p99 {:.2} ms; beside {STREAMS} streams: {:.0}/s, p50 {p50:.2} ms",
        alone.rate,
        alone.latency.median(),
        alone.latency.quantile(99),
        median(meanwhile.iter().map(|load| load.rate).collect()),
    ));
    let compared =
        format!("as PostgreSQL says, {ROUNDS} times while {STREAMS} streams run and nobody asks for anything");
    judge("connections in use", &compared, median(busy), "", Wanted::AtMost(0.0));
    let compared = format!("{CLIENTS} clients beside {STREAMS} streams, median of {ROUNDS} runs");
    judge("p99 of GET /internal/apps", &compared, p99, " ms", Wanted::Under(15.0));
    server.stop().await?;
    model.stop().await
}

/// Begins the streams, and waits until each has its first token.
async fn begin(server: &Server, talk: &[u8]) -> anyhow::Result<JoinSet<std::io::Result<()>>> {
    let mut streams = JoinSet::new();
    let (spoken, mut first) = tokio::sync::mpsc::channel(STREAMS);
    for _ in 0..STREAMS {
        let (mut connection, talk, spoken) = (Connection::open(server.address()).await?, talk.to_vec(), spoken.clone());
        streams.spawn(async move {
            connection.begin(&talk, b"\"t0 \"").await?;
            // There is room for all.
            let _ = spoken.send(()).await;
            connection.drain().await
        });
    }
    let give_up = Instant::now() + Duration::from_secs(10);
    for _ in 0..STREAMS {
        tokio::time::timeout_at(give_up, first.recv()).await?;
    }
    Ok(streams)
}
