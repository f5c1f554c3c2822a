use std::os::unix::process::ExitStatusExt;
use std::time::{Duration, Instant};

use omni_supervise::Signal;

use crate::setting::{DEADLINE, eventually, next_line, runs, shell, supervisor};

#[tokio::test]
async fn a_child_that_ends_when_asked_is_not_killed() {
    let (spec, mut lines) = shell("trap 'echo bye; exit 3' TERM; echo ready; while :; do /bin/sleep 0.01; done");
    let child = supervisor().spawn(spec).await.unwrap();
    assert_eq!(next_line(&mut lines).await, "ready");
    assert_eq!(child.stop(Signal::SIGTERM, DEADLINE).await.unwrap().code(), Some(3));
    // The shell may also report the sleeper, which had the signal too.
    assert_eq!(child.tail().last().map(String::as_str), Some("bye"));
}

#[tokio::test]
async fn a_deaf_child_is_killed_after_its_grace_and_its_group_with_it() {
    let (spec, mut lines) = shell("trap '' TERM; /bin/sleep 1000 & echo $!; wait; wait");
    let child = supervisor().spawn(spec).await.unwrap();
    let grandchild = next_line(&mut lines).await.parse().unwrap();

    let start = Instant::now();
    let status = child.stop(Signal::SIGTERM, Duration::from_millis(50)).await.unwrap();
    assert_eq!(status.signal(), Some(9));
    assert!(start.elapsed() >= Duration::from_millis(50));
    eventually("the grandchild is gone", || !runs(grandchild));
}

#[tokio::test]
async fn what_a_child_leaves_behind_when_it_ends_by_itself_is_killed() {
    let (spec, mut lines) = shell("/bin/sleep 1000 & echo $!");
    let child = supervisor().spawn(spec).await.unwrap();
    let left_behind = next_line(&mut lines).await.parse().unwrap();
    assert_eq!(child.wait().await.unwrap().code(), Some(0));
    eventually("the sleeper is gone", || !runs(left_behind));
}

#[tokio::test]
async fn stopping_twice_and_waiting_at_once_all_see_the_same_end() {
    let (spec, mut lines) = shell("echo ready; exec /bin/sleep 1000");
    let child = supervisor().spawn(spec).await.unwrap();
    assert_eq!(next_line(&mut lines).await, "ready");
    let (first, second, waited) =
        tokio::join!(child.stop(Signal::SIGTERM, DEADLINE), child.stop(Signal::SIGTERM, DEADLINE), child.wait(),);
    assert_eq!(first.unwrap().signal(), Some(15));
    assert_eq!(second.unwrap().signal(), Some(15));
    assert_eq!(waited.unwrap().signal(), Some(15));
    assert_eq!(child.stop(Signal::SIGTERM, Duration::ZERO).await.unwrap().signal(), Some(15));
}

#[tokio::test]
async fn a_dropped_handle_sends_the_death_signal() {
    let dir = tempfile::tempdir().unwrap();
    let witness = dir.path().join("died-by");
    let script =
        format!("trap 'echo INT > {}; exit' INT; echo ready; while :; do /bin/sleep 0.01; done", witness.display());
    let (spec, mut lines) = shell(&script);
    let child = supervisor().spawn(spec.death_signal(Signal::SIGINT)).await.unwrap();
    assert_eq!(next_line(&mut lines).await, "ready");
    let pid = child.pid();
    drop(child);
    tokio::task::spawn_blocking(move || eventually("the child is gone", || !runs(pid))).await.unwrap();
    assert_eq!(std::fs::read_to_string(witness).unwrap(), "INT\n");
}

/// The thread that forks belongs to the supervisor and to every child: a child may outlive the first.
#[tokio::test]
async fn a_child_keeps_the_forking_thread_alive() {
    let supervisor = supervisor();
    let (spec, mut lines) = shell("echo ready; exec /bin/sleep 1000");
    let child = supervisor.spawn(spec).await.unwrap();
    drop(supervisor);
    assert_eq!(next_line(&mut lines).await, "ready");
    assert!(runs(child.pid()));
    assert_eq!(child.stop(Signal::SIGTERM, DEADLINE).await.unwrap().signal(), Some(15));
}
