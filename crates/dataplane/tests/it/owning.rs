//! The owner is another process here, and dies without a chance to clean up.
#![cfg(target_os = "linux")]

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use omni_dataplane::Options;

use crate::setting::{connect, data_dir, eventually, furnished_places, plane_program, runs, start};

struct Owner {
    process: Child,
    /// Kept open: an owner that cannot say what it has to say ends by itself.
    _output: BufReader<ChildStdout>,
    database_url: String,
    postmaster: u32,
}

impl Owner {
    fn start(data: &Path) -> Self {
        let mut process = Command::new(plane_program()).arg(data).stdout(Stdio::piped()).spawn().unwrap();
        let mut output = BufReader::new(process.stdout.take().unwrap());
        let mut database_url = String::new();
        output.read_line(&mut database_url).unwrap();
        let pid_file = fs::read_to_string(data.join("pg/postmaster.pid")).unwrap();
        let postmaster = pid_file.lines().next().unwrap().parse().unwrap();
        Self { process, _output: output, database_url: database_url.trim().to_owned(), postmaster }
    }

    fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

/// Every process whose current directory is below `data`.
fn residents(data: &Path) -> Vec<u32> {
    let pids = fs::read_dir("/proc").unwrap().flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter(|pid| fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|cwd| cwd.starts_with(data))).collect()
}

#[tokio::test]
async fn a_killed_owner_leaves_no_process_and_a_database_that_was_shut_down() {
    furnished_places().await;
    let (_home, data) = data_dir();
    let mut owner = Owner::start(&data);
    assert!(residents(&data).len() > 2);
    owner.kill();
    eventually("nobody works in the data directory", || residents(&data).is_empty());
    assert!(!data.join("pg/postmaster.pid").exists(), "PostgreSQL had the time for a fast shutdown");
}

/// The next owner comes while the orphans are still on their way out, with a transaction open.
#[tokio::test]
async fn the_next_owner_takes_over_at_once() {
    let places = furnished_places().await;
    let (_home, data) = data_dir();
    let mut owner = Owner::start(&data);
    let (client, driver) = connect(&owner.database_url).await;
    client.batch_execute("CREATE TABLE t (n int); INSERT INTO t VALUES (42)").await.unwrap();
    drop((client, driver));
    owner.kill();

    let plane = start(Options::new(&data, places)).await.unwrap();
    assert!(!runs(owner.postmaster));
    let (client, _driver) = connect(plane.database_url().unwrap()).await;
    assert_eq!(client.query_one("SELECT n FROM t", &[]).await.unwrap().get::<_, i32>(0), 42);
    plane.stop().await.unwrap();
}

/// Everything is killed at once, as when a container ends, and the process id in `postmaster.pid` belongs to somebody
/// else by the time of the next start: to ourselves here, whom PostgreSQL would take for a running postmaster.
#[tokio::test]
async fn a_stale_process_id_does_not_keep_postgresql_from_starting() {
    let places = furnished_places().await;
    let (_home, data) = data_dir();
    let mut owner = Owner::start(&data);
    let (client, driver) = connect(&owner.database_url).await;
    client.batch_execute("CREATE TABLE t (n int); INSERT INTO t VALUES (42)").await.unwrap();
    drop((client, driver));
    let all = residents(&data);
    kill(Pid::from_raw(owner.process.id().try_into().unwrap()), Signal::SIGSTOP).unwrap();
    for pid in all {
        // The children of a postmaster that was killed end by themselves, perhaps before their turn.
        let _ = kill(Pid::from_raw(pid.try_into().unwrap()), Signal::SIGKILL);
    }
    owner.kill();
    eventually("nobody works in the data directory", || residents(&data).is_empty());

    let pid_file = data.join("pg/postmaster.pid");
    let stale = fs::read_to_string(&pid_file).unwrap();
    let recycled = stale.replacen(&owner.postmaster.to_string(), &std::process::id().to_string(), 1);
    fs::write(&pid_file, recycled).unwrap();

    let plane = start(Options::new(&data, places)).await.unwrap();
    let (client, _driver) = connect(plane.database_url().unwrap()).await;
    assert_eq!(client.query_one("SELECT n FROM t", &[]).await.unwrap().get::<_, i32>(0), 42);
    plane.stop().await.unwrap();
}

#[tokio::test]
async fn an_owner_that_is_asked_to_stop_stops_both() {
    furnished_places().await;
    let (_home, data) = data_dir();
    let mut owner = Owner::start(&data);
    kill(Pid::from_raw(owner.process.id().try_into().unwrap()), Signal::SIGTERM).unwrap();
    assert!(owner.process.wait().unwrap().success());
    assert!(residents(&data).is_empty());
}
