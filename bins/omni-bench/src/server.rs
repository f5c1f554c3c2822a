//! `omni-api` as a child process, as a person would start it.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use omni_supervise::{Child, Output, Signal, Spec};
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

use crate::bench::Bench;
use crate::client::{Connection, request};

/// How long a start may take before it has failed.
const LONGEST_START: Duration = Duration::from_secs(60);
/// Between two questions whether it is ready.
const PAUSE: Duration = Duration::from_millis(1);
const GRACE: Duration = Duration::from_secs(30);

pub(crate) struct Server {
    child: Child,
    address: SocketAddr,
    /// From the start of the process to the first `200` of `/readyz`.
    pub(crate) took: Duration,
    _home: Option<TempDir>,
}

impl Server {
    /// Starts it on the benchmark's database, with a data directory that goes with it.
    pub(crate) async fn start(bench: &Bench, settings: &[(&str, String)]) -> anyhow::Result<Self> {
        let home = tempfile::Builder::new().prefix("omni-bench-home-").tempdir()?;
        let servers = [
            ("DATABASE_URL", bench.database.url().to_owned()),
            ("NATS_URL", bench.nats_url.clone()),
            // The database remembers which key its secrets were sealed with.
            ("OMNI_SECRET_KEY_FILE", bench.file("master.key").display().to_string()),
        ];
        let mut server = Self::start_at(bench, home.path(), servers.iter().chain(settings)).await?;
        server._home = Some(home);
        Ok(server)
    }

    /// Starts it with servers of its own in `home`.
    pub(crate) async fn start_embedded(bench: &Bench, home: &Path) -> anyhow::Result<Self> {
        let none = [("DATABASE_URL", String::new()), ("NATS_URL", String::new())];
        Self::start_at(bench, home, none.iter()).await
    }

    async fn start_at<'a>(
        bench: &Bench,
        home: &Path,
        settings: impl Iterator<Item = &'a (&'a str, String)>,
    ) -> anyhow::Result<Self> {
        let (address, control) = (free_address()?, free_address()?);
        let mut spec = Spec::new("omni-api", &bench.programs.api)
            .inherit_env()
            .env("OMNI_HTTP_ADDR", address.to_string())
            .env("OMNI_CONTROL_ADDR", control.to_string())
            .env("OMNI_DATA_DIR", home.join("data"))
            .env("OMNI_AUTH_MODE", "fake")
            .death_signal(Signal::SIGTERM)
            .output(Output::Discard);
        for (name, value) in settings {
            spec = spec.env(*name, value);
        }
        let started = Instant::now();
        let child = bench.supervisor.spawn(spec).await?;
        until_ready(&child, address).await?;
        Ok(Self { child, address, took: started.elapsed(), _home: None })
    }

    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.pid()
    }

    /// What its memory takes, in MiB.
    pub(crate) fn resident(&self) -> anyhow::Result<f64> {
        self.memory("VmRSS:")
    }

    /// The most that its memory took, in MiB.
    pub(crate) fn peak(&self) -> anyhow::Result<f64> {
        self.memory("VmHWM:")
    }

    fn memory(&self, field: &str) -> anyhow::Result<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.pid()))?;
        let line = status.lines().find_map(|line| line.strip_prefix(field)).context("the kernel says no such field")?;
        let kibibytes: u32 = line.trim().trim_end_matches(" kB").parse()?;
        Ok(f64::from(kibibytes) / 1024.0)
    }

    /// The processor time that it has used, to a hundredth of a second.
    pub(crate) fn processor_time(&self) -> anyhow::Result<Duration> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.pid()))?;
        // Behind the name, which may hold anything; user and system time are the 14th and 15th field of the whole line.
        let (_, fields) = stat.rsplit_once(") ").context("the kernel says no stat")?;
        let ticks = fields.split(' ').skip(11).take(2).map(str::parse::<u64>).sum::<Result<u64, _>>()?;
        Ok(Duration::from_millis(ticks * 10))
    }

    pub(crate) async fn stop(self) -> anyhow::Result<()> {
        let ended = self.child.stop(Signal::SIGTERM, GRACE).await?;
        ensure!(ended.success(), "omni-api ended with {ended}: {}", self.child.tail().join("\n"));
        Ok(())
    }
}

async fn until_ready(child: &Child, address: SocketAddr) -> anyhow::Result<()> {
    let question = request("GET", "/readyz", address, "connection: close\r\n", "");
    let give_up = Instant::now() + LONGEST_START;
    loop {
        if let Some(ended) = child.exit_status() {
            bail!("omni-api ended with {ended}: {}", child.tail().join("\n"));
        }
        if is_ready(address, &question).await {
            return Ok(());
        }
        ensure!(Instant::now() < give_up, "omni-api is not ready after {LONGEST_START:?}");
        sleep(PAUSE).await;
    }
}

async fn is_ready(address: SocketAddr, question: &[u8]) -> bool {
    let Ok(mut connection) = Connection::open(address).await else { return false };
    connection.exchange(question).await.is_ok_and(|answer| answer.status == 200)
}

/// Nobody else takes it in the moment before it is used, as a rule.
fn free_address() -> std::io::Result<SocketAddr> {
    TcpListener::bind("127.0.0.1:0")?.local_addr()
}
