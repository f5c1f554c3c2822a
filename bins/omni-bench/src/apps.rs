//! Signed-in `GET /internal/apps` against its own two statements in pgbench, on the same data, in turns.

use std::time::Duration;

use anyhow::{Context, ensure};

use crate::bench::Bench;
use crate::client::Connection;
use crate::load::{Load, closed_loop};
use crate::pgbench::Pgbench;
use crate::report::{Wanted, judge, part, say};
use crate::sample::{median, milliseconds, number};
use crate::server::Server;
use crate::tap::{Executed, Tap};
use crate::workspace::people;

const APPS: &str = "/internal/apps";
const ME: &str = "/internal/auth/me";
const CLIENTS: [usize; 6] = [1, 4, 8, 16, 32, 64];
const PGBENCH_CLIENTS: [usize; 6] = [1, 2, 4, 8, 16, 32];
const QUICK_CLIENTS: [usize; 3] = [1, 8, 32];
/// Where the slowest percent is judged.
const JUDGED_CLIENTS: usize = 32;
/// Requests whose statements are counted.
const COUNTED: usize = 200;

/// The statements of one request.
pub(crate) struct Statements {
    pub(crate) session: Executed,
    pub(crate) list: Executed,
    /// How many apps a page has.
    pub(crate) limit: i64,
    per_request: usize,
}

pub(crate) async fn measure(bench: &Bench) -> anyhow::Result<()> {
    part("GET /internal/apps, signed in");
    // Migrates, so that there is something to fill.
    Server::start(bench, &[]).await?.stop().await?;
    bench.database.seed().await?;
    let statements = observe(bench).await?;
    let counted = format!("seen on the wire to PostgreSQL over {COUNTED} requests");
    judge("statements a request", &counted, number(statements.per_request), "", Wanted::AtMost(2.0));

    let server = Server::start(bench, &[]).await?;
    let people = people(server.address(), CLIENTS.into_iter().max().unwrap_or(1)).await?;
    let requests: Vec<Vec<u8>> = people.iter().map(|person| person.get(APPS)).collect();
    let pgbench = Pgbench::with(bench, &statements)?;
    let (clients, pgbench_clients) =
        if bench.quick { (&QUICK_CLIENTS[..], &QUICK_CLIENTS[..]) } else { (&CLIENTS[..], &PGBENCH_CLIENTS[..]) };
    let lasting = Duration::from_secs(2);

    let mut ours: Vec<Vec<Load>> = clients.iter().map(|_| Vec::new()).collect();
    let mut theirs: Vec<Vec<f64>> = pgbench_clients.iter().map(|_| Vec::new()).collect();
    let before = server.processor_time()?;
    for _ in 0..bench.rounds(5, 2) {
        for (index, (count, loads)) in clients.iter().zip(&mut ours).enumerate() {
            loads.push(closed_loop(server.address(), &requests, *count, lasting).await?);
            if let (Some(count), Some(rates)) = (pgbench_clients.get(index), theirs.get_mut(index)) {
                rates.push(pgbench.run(&statements, *count, lasting).await?);
            }
        }
    }
    let used = server.processor_time()? - before;
    let answered = ours.iter().flatten().map(|load| load.latency.len()).sum();
    server.stop().await?;

    let (our_best, our_clients) = best(clients, ours.iter().map(|loads| median(rates(loads))));
    let (their_best, their_clients) = best(pgbench_clients, theirs.iter().cloned().map(median));
    say("clients      omni-api     p50       p99   |  clients   pgbench");
    for (index, (count, loads)) in clients.iter().zip(&ours).enumerate() {
        let (p50, p99) = (median(quantiles(loads, 50)), median(quantiles(loads, 99)));
        let beside = pgbench_clients.get(index).zip(theirs.get(index));
        let beside = beside.map(|(count, rates)| format!("{count:7}  {:6.0}/s", median(rates.clone())));
        let rate = median(rates(loads));
        say(&format!("{count:7}  {rate:8.0}/s  {p50:5.2} ms  {p99:6.2} ms   |  {}", beside.unwrap_or_default()));
    }
    say(&format!("        a request takes {:.0} µs of omni-api's processor time", per_request(used, answered)));
    let compared = format!(
        "{our_best:.0}/s at {our_clients} clients to {their_best:.0}/s of pgbench at {their_clients}; medians of {} runs",
        bench.rounds(5, 2)
    );
    judge("rate, to that of its SQL alone", &compared, our_best / their_best, "", Wanted::AtLeast(0.7));
    if let Some((_, loads)) = clients.iter().zip(&ours).find(|(count, _)| **count == JUDGED_CLIENTS) {
        let compared = format!("the slowest percent at {JUDGED_CLIENTS} clients; median of the runs");
        judge("p99", &compared, median(quantiles(loads, 99)), " ms", Wanted::Under(15.0));
    }
    Ok(())
}

/// In microseconds; what the warm-up of each run used makes it a little too high.
fn per_request(used: Duration, answered: usize) -> f64 {
    milliseconds(used) * 1000.0 / number(answered).max(1.0)
}

fn rates(loads: &[Load]) -> Vec<f64> {
    loads.iter().map(|load| load.rate).collect()
}

fn quantiles(loads: &[Load], percent: usize) -> Vec<f64> {
    loads.iter().map(|load| load.latency.quantile(percent)).collect()
}

fn best(clients: &[usize], rates: impl Iterator<Item = f64>) -> (f64, usize) {
    let rated = rates.zip(clients.iter().copied());
    rated.max_by(|(one, _), (other, _)| one.total_cmp(other)).unwrap_or_default()
}

/// Finds out which statements a request executes, by listening in.
async fn observe(bench: &Bench) -> anyhow::Result<Statements> {
    let tap = Tap::open(bench.database.config()?).await?;
    let server = Server::start(bench, &[("DATABASE_URL", tap.url().to_owned())]).await?;
    let people = people(server.address(), 1).await?;
    let person = people.first().context("somebody signed in")?;
    let session = executed_by(&tap, &server, &person.get(ME)).await?;
    let apps = executed_by(&tap, &server, &person.get(APPS)).await?;
    server.stop().await?;
    ensure!(session.len() == 1, "who is signed in takes {} statements", session.len());
    let session = session.into_iter().next().context("a statement")?;
    let per_request = apps.len();
    let list = apps.into_iter().find(|one| one.sql != session.sql).context("a list of apps without a statement")?;
    let limit = list.values.get(2).and_then(|value| value.as_slice().try_into().ok()).map(i64::from_be_bytes);
    Ok(Statements { session, limit: limit.context("the list of apps has no limit")?, list, per_request })
}

/// The statements that each such request executes. What is executed less often than that is something else's.
async fn executed_by(tap: &Tap, server: &Server, request: &[u8]) -> anyhow::Result<Vec<Executed>> {
    let mut connection = Connection::open(server.address()).await?;
    tap.take();
    for _ in 0..COUNTED {
        let status = connection.exchange(request).await?.status;
        ensure!(status == 200, "status {status}");
    }
    let mut executed = tap.take();
    let mut statements = Vec::new();
    while let Some(one) = executed.first().cloned() {
        let before = executed.len();
        executed.retain(|other| other.sql != one.sql);
        let times = (before - executed.len()) / COUNTED;
        statements.extend(std::iter::repeat_n(one, times));
    }
    Ok(statements)
}
