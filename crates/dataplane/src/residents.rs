//! Processes that still work in a server's directory although their owner is gone.
//!
//! Both servers are started with their directory as the current one, and keep it. So whoever stands in it is a server of
//! an earlier run (it was told to stop when its owner died, and is about to), or one that somebody started by hand. This
//! is firmer than the process id in `postmaster.pid`: in a container every restart hands out the same ids again.

use std::path::Path;
use std::time::Duration;

use crate::Error;
use crate::patience::ask_until;

/// How long an orphaned server gets to finish its shutdown.
const PATIENCE: Duration = Duration::from_secs(15);

/// Waits until nobody works in `directory` any more.
///
/// # Errors
/// [`Error::StillRunning`] if somebody stays: then it is not ours to stop.
pub(crate) async fn wait_until_gone(directory: &Path) -> Result<(), Error> {
    ask_until(PATIENCE, async || {
        let residents = find(directory);
        if residents.is_empty() { Ok(()) } else { Err(residents) }
    })
    .await
    .map_err(|residents| {
        let pids = residents.iter().map(u32::to_string).collect::<Vec<_>>().join(", ");
        Error::StillRunning { path: directory.to_owned(), pids }
    })
}

#[cfg(target_os = "linux")]
fn find(directory: &Path) -> Vec<u32> {
    use std::fs;
    use std::os::unix::fs::MetadataExt;

    let Ok(wanted) = fs::metadata(directory) else { return Vec::new() };
    let Ok(processes) = fs::read_dir("/proc") else { return Vec::new() };
    let stands_there = |pid: &u32| {
        fs::metadata(format!("/proc/{pid}/cwd")).is_ok_and(|cwd| (cwd.dev(), cwd.ino()) == (wanted.dev(), wanted.ino()))
    };
    processes.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).filter(stands_there).collect()
}

/// Where processes cannot be asked where they stand, the ids that the servers wrote down have to do.
#[cfg(not(target_os = "linux"))]
fn find(directory: &Path) -> Vec<u32> {
    use std::fs;

    use nix::sys::signal::kill;
    use nix::unistd::Pid;

    let postmaster = fs::read_to_string(directory.join("postmaster.pid")).unwrap_or_default();
    let ports_files = fs::read_dir(directory).into_iter().flatten().flatten().filter_map(|entry| {
        let name = entry.file_name().into_string().ok()?;
        Some(name.strip_suffix(".ports")?.rsplit_once('_')?.1.to_owned())
    });
    let written = postmaster.lines().next().map(str::to_owned).into_iter().chain(ports_files);
    let alive = |pid: &u32| i32::try_from(*pid).is_ok_and(|pid| kill(Pid::from_raw(pid), None).is_ok());
    written.filter_map(|pid| pid.trim().parse().ok()).filter(alive).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    #[cfg(target_os = "linux")]
    async fn a_process_is_found_by_where_it_stands_and_waited_for() {
        let dir = tempfile::tempdir().unwrap();
        let mut sleeper = std::process::Command::new("sleep").arg("0.3").current_dir(dir.path()).spawn().unwrap();
        assert_eq!(find(dir.path()), [sleeper.id()]);
        assert!(find(&dir.path().join("missing")).is_empty());
        let reaper = std::thread::spawn(move || sleeper.wait());
        wait_until_gone(dir.path()).await.unwrap();
        reaper.join().unwrap().unwrap();
    }
}
