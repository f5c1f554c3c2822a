//! A model's stream through a chat against the same stream read directly from the model, by the same reader, in turns.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, ensure};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::bench::Bench;
use crate::client::{Connection, find};
use crate::model::Model;
use crate::report::{Wanted, judge, part, say};
use crate::sample::{Sample, median, milliseconds, number};
use crate::server::Server;
use crate::workspace::Person;

/// Tokens of every stream.
const TOKENS: usize = 200;
const ONE: &str = "tokens-200-1ms";
const MANY: &str = "tokens-200-5ms";
/// Streams at once.
const STREAMS: usize = 500;
/// Streams before it counts.
const WARM_UP: usize = 5;

/// Where a stream is read, and with which request.
struct Way {
    address: SocketAddr,
    request: Vec<u8>,
}

pub(crate) async fn measure(bench: &Bench) -> anyhow::Result<()> {
    part("A stream of 200 tokens through a chat");
    let model = Model::start(bench).await?;
    let server = Server::start(bench, &[model.allowed()]).await?;
    let person = Person::sign_in(server.address(), 0).await?;
    let mut ways = Vec::new();
    for name in [ONE, MANY] {
        let direct = Way { address: model.address(), request: model.ask(name) };
        let request = person.talk_to(&model.base_url(), name).await?;
        ways.push((direct, Way { address: server.address(), request }));
    }
    let [one, many] = ways.as_slice() else { return Ok(()) };
    one_by_one(bench, &server, &one.0, &one.1).await?;
    at_once(bench, &server, &many.0, &many.1).await?;
    server.stop().await?;
    model.stop().await
}

async fn one_by_one(bench: &Bench, server: &Server, direct: &Way, through: &Way) -> anyhow::Result<()> {
    let count = bench.rounds(60, 15);
    let (mut to_model, mut to_api) = (direct.open().await?, through.open().await?);
    for _ in 0..WARM_UP {
        through.read(&mut to_api).await?;
    }
    let before = server.processor_time()?;
    let (mut directly, mut indirectly) = (Vec::with_capacity(count), Vec::with_capacity(count));
    for _ in 0..count {
        directly.push(direct.read(&mut to_model).await?);
        indirectly.push(through.read(&mut to_api).await?);
    }
    let used = server.processor_time()? - before;
    let (directly, indirectly) = (Sample::of(directly), Sample::of(indirectly));
    let compared = format!(
        "median of {count} streams: {:.2} ms to {:.2} ms directly, 99 % of them {:.2} ms to {:.2} ms",
        indirectly.median(),
        directly.median(),
        indirectly.quantile(99),
        directly.quantile(99)
    );
    judge("added to the first token", &compared, indirectly.median() - directly.median(), " ms", Wanted::Under(3.0));
    judge_processor(&format!("{count} streams one after another, a token every 1 ms"), used, count);
    Ok(())
}

async fn at_once(bench: &Bench, server: &Server, direct: &Way, through: &Way) -> anyhow::Result<()> {
    let rounds = bench.rounds(5, 2);
    let (mut directly, mut indirectly) = (Vec::new(), Vec::new());
    let mut used = Duration::ZERO;
    // Makes the connections between omni-api and the model.
    all_of(through).await?;
    for _ in 0..rounds {
        directly.push(milliseconds(all_of(direct).await?.1));
        let before = server.processor_time()?;
        let (firsts, whole) = all_of(through).await?;
        used += server.processor_time()? - before;
        say(&format!(
            "        {STREAMS} streams: the first token after {:.0} ms (median), {:.0} ms (last)",
            firsts.median(),
            firsts.quantile(100)
        ));
        indirectly.push(milliseconds(whole));
    }
    let (directly, indirectly) = (median(directly), median(indirectly));
    let compared = format!("{indirectly:.0} ms to {directly:.0} ms directly; medians of {rounds} rounds");
    let what = format!("{STREAMS} streams at 5 ms a token, to the same directly");
    judge(&what, &compared, indirectly / directly, "", Wanted::AtMost(1.1));
    judge_processor(&format!("{rounds} times {STREAMS} streams at once, a token every 5 ms"), used, rounds * STREAMS);
    Ok(())
}

fn judge_processor(compared: &str, used: Duration, streams: usize) {
    let each = milliseconds(used) / (number(streams * TOKENS) / 1000.0);
    judge("processor time of 1000 tokens", compared, each, " ms", Wanted::Under(25.0));
}

/// All streams at once: how long each took to its first token, and all of them to the last.
async fn all_of(way: &Way) -> anyhow::Result<(Sample, Duration)> {
    let mut connections = Vec::with_capacity(STREAMS);
    for _ in 0..STREAMS {
        connections.push(way.open().await?);
    }
    let mut readers = JoinSet::new();
    let sent = Instant::now();
    for mut connection in connections {
        let way = Way { address: way.address, request: way.request.clone() };
        readers.spawn(async move { way.read(&mut connection).await });
    }
    let mut firsts = Vec::with_capacity(STREAMS);
    while let Some(read) = readers.join_next().await {
        firsts.push(read??);
    }
    Ok((Sample::of(firsts), sent.elapsed()))
}

impl Way {
    async fn open(&self) -> anyhow::Result<Connection> {
        Ok(Connection::open(self.address).await?)
    }

    /// Reads one stream to its end, and says how long its first token took.
    async fn read(&self, connection: &mut Connection) -> anyhow::Result<Duration> {
        let streamed = connection.stream(&self.request, b"\"t0 \"").await?;
        let last = format!("\"t{} \"", TOKENS - 1);
        let is_whole = find(&streamed.bytes, last.as_bytes()).is_some();
        let said = String::from_utf8_lossy(streamed.bytes.get(..500).unwrap_or(&streamed.bytes));
        ensure!(streamed.status == 200 && is_whole, "a stream broke off after {:?}: {said}", streamed.whole);
        streamed.first.context("a stream without a token")
    }
}
