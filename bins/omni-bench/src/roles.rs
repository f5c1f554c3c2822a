//! The check of session and role, in a database of a large company: a request that is refused right behind the check,
//! against one that needs none.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::ensure;
use serde_json::json;
use tokio::time::Instant;

use crate::bench::Bench;
use crate::client::{Connection, request};
use crate::report::{Wanted, judge, part, say};
use crate::sample::Sample;
use crate::server::Server;
use crate::workspace::Person;

/// People who take turns, so that nobody's rows are warmer than a company's are.
const ASKING: usize = 200;

pub(crate) async fn measure(bench: &Bench) -> anyhow::Result<()> {
    part("The check of session and role: 10 000 people, 1 000 apps, 50 000 memberships");
    Server::start(bench, &[]).await?.stop().await?;
    bench.database.seed_company().await?;
    let server = Server::start(bench, &[]).await?;
    let address = server.address();
    let mut checked = Vec::with_capacity(ASKING);
    for index in 0..ASKING {
        let person = Person::sign_in_as(address, &format!("member-{}@bench.example", index * 47)).await?;
        let app = bench.database.an_app_of(&format!("member-{}@bench.example", index * 47)).await?;
        // Without a name it is refused, and that is told only to those who may make one.
        checked.push(person.post(&format!("/internal/agents?app_id={app}"), &json!({})));
    }
    let unchecked = [request("GET", "/internal/version", address, "", "")];
    let rounds = bench.rounds(10_000, 1_000);
    // In turns, so that both meet the same machine.
    let (mut with, mut without) = (Vec::new(), Vec::new());
    for _ in 0..10 {
        with.extend(timed(address, &checked, 400, rounds / 10).await?);
        without.extend(timed(address, &unchecked, 200, rounds / 10).await?);
    }
    server.stop().await?;
    let (with, without) = (Sample::of(with), Sample::of(without));
    for (what, sample) in [("with the check", &with), ("without", &without)] {
        let (p50, p99) = (sample.median(), sample.quantile(99));
        say(&format!("{what:>15}: p50 {p50:.3} ms, p99 {p99:.3} ms of {} requests", sample.len()));
    }
    let added = format!("the request's own median of {:.3} ms taken off", without.median());
    judge("p99 of the check", &added, with.quantile(99) - without.median(), " ms", Wanted::Under(1.0));
    Ok(())
}

/// One client that sends the requests one after the other, and how long each took.
async fn timed(
    address: SocketAddr,
    requests: &[Vec<u8>],
    expected: u16,
    times: usize,
) -> anyhow::Result<Vec<Duration>> {
    let mut connection = Connection::open(address).await?;
    let mut took = Vec::with_capacity(times);
    for request in requests.iter().cycle().take(times) {
        let sent = Instant::now();
        let status = connection.exchange(request).await?.status;
        took.push(sent.elapsed());
        ensure!(status == expected, "status {status} where {expected} was expected");
    }
    Ok(took)
}
