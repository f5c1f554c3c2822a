//! Measures what `docs/performance.md` promises: each promise in one run, against something that the same machine does
//! at the same time. `cargo xtask bench` builds this in release and gives it a PostgreSQL and a NATS of its own.
//!
//! It starts the real `omni-api` as a child process and speaks to it over sockets only, so it depends on none of the
//! platform's crates but the one that starts child processes. A number that misses its limit is reported, never an
//! error: whether a machine is fast enough is not for the exit code to say.

mod apps;
mod arguments;
mod bench;
mod chat;
mod client;
mod database;
mod family;
mod files;
mod held;
mod ingest;
mod knowledge;
mod load;
mod model;
mod pgbench;
mod programs;
mod report;
mod roles;
mod sample;
mod server;
mod start;
mod tap;
mod texts;
mod workspace;

use clap::Parser;

use crate::arguments::{Arguments, Promise};
use crate::bench::Bench;

/// One thread: what measures has to leave the machine to what is measured.
#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    // The servers are started through this program itself; see `omni-supervise`.
    omni_supervise::launcher::intercept();
    let arguments = Arguments::parse();
    let bench = Bench::prepare(&arguments).await?;
    let outcome = measure(&bench, &arguments).await;
    bench.clear().await?;
    outcome
}

async fn measure(bench: &Bench, arguments: &Arguments) -> anyhow::Result<()> {
    for promise in arguments.promises() {
        match promise {
            Promise::Apps => apps::measure(bench).await?,
            Promise::Roles => roles::measure(bench).await?,
            Promise::Chat => chat::measure(bench).await?,
            Promise::Held => held::measure(bench).await?,
            Promise::Knowledge => knowledge::measure(bench).await?,
            Promise::Ingest => ingest::measure(bench).await?,
            Promise::Start => start::measure(bench).await?,
        }
    }
    Ok(())
}
