//! Runs a data plane until it is told to stop: `plane <data directory>`.
//!
//! Prints the two addresses, one per line, once both servers answer. The programs must be installed already
//! (`cargo xtask up` fetches them); `OMNI_CACHE_DIR` and the rest of the environment say where to look.

use std::io::{self, Write};
use std::path::Path;

use anyhow::Context;
use omni_dataplane::{DataPlane, Options, Places};
use omni_domain::Entropy;
use omni_supervise::{Supervisor, launcher};
use secrecy::ExposeSecret;
use tokio::signal::unix::{SignalKind, signal};

struct OperatingSystem;

impl Entropy for OperatingSystem {
    fn fill(&self, bytes: &mut [u8]) {
        #[expect(
            clippy::disallowed_methods,
            clippy::expect_used,
            reason = "the one source of this program; a system without randomness cannot keep a secret"
        )]
        getrandom::fill(bytes).expect("the operating system has randomness");
    }
}

fn main() -> anyhow::Result<()> {
    launcher::intercept();
    let data_dir = std::env::args_os().nth(1).context("usage: plane <data directory>")?;

    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(async {
        #[expect(clippy::disallowed_methods, reason = "the environment that this program hands in")]
        let places = Places::from_env(|name| std::env::var_os(name), Path::new(&data_dir));
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;

        let supervisor = Supervisor::start_with_this_program()?;
        let plane = DataPlane::start(Options::new(data_dir, places), &supervisor, &OperatingSystem).await?;
        let nats_url = plane.nats_url().context("NATS was started")?.expose_secret();
        writeln!(io::stdout(), "{}\n{nats_url}", plane.database_url().context("PostgreSQL was started")?)?;
        writeln!(io::stderr(), "{plane}")?;
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            error = plane.ended() => return Err(error.into()),
        }
        Ok(plane.stop().await?)
    })
}
