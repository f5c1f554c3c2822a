use std::fmt;
use std::process::ExitStatus;
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::signal::{kill, killpg};
use nix::unistd::Pid;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::output::{Capture, Tail};
use crate::{Error, Signal, Supervisor};

/// How long the last words of a child that has ended are waited for; a grandchild may hold the pipe open.
const LAST_WORDS: Duration = Duration::from_millis(250);
/// Signals that may wait to be sent.
const WAITING_SIGNALS: usize = 8;

/// A running child, or one that has ended. Dropping it sends the death signal to its process group.
pub struct Child {
    name: String,
    pid: u32,
    signals: mpsc::Sender<Signal>,
    end: watch::Receiver<Option<ExitStatus>>,
    tail: Tail,
    /// The attendant and the reader of the output; both end when the handle is dropped.
    _tasks: JoinSet<()>,
    /// Keeps the thread alive that forked the child, and with it the child.
    _supervisor: Supervisor,
}

impl Child {
    pub(crate) fn attend(
        name: String,
        process: tokio::process::Child,
        death_signal: Signal,
        capture: Option<Capture>,
        supervisor: Supervisor,
    ) -> Self {
        let (signals, orders) = mpsc::channel(WAITING_SIGNALS);
        let (ended, end) = watch::channel(None);
        let tail = capture.as_ref().map(Capture::tail).unwrap_or_default();
        let pid = process.id().unwrap_or_default();
        let group = Group::of(pid, death_signal);

        let mut tasks = JoinSet::new();
        let mut output = JoinSet::new();
        if let Some(capture) = capture {
            output.spawn(capture.drain());
        }
        tasks.spawn(async move {
            let status = attend(process, group, orders).await;
            // A reader that is still busy after this is cut off when `output` goes.
            let _ = timeout(LAST_WORDS, output.join_next()).await;
            if let Some(status) = status {
                ended.send_replace(Some(status));
            }
        });
        Self { name, pid, signals, end, tail, _tasks: tasks, _supervisor: supervisor }
    }

    /// What the child is called in logs.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its process id, which is also the id of its process group and session.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// The exit status, if the child has ended.
    #[must_use]
    pub fn exit_status(&self) -> Option<ExitStatus> {
        *self.end.borrow()
    }

    /// The last lines of its output, oldest first; none if the output is inherited.
    #[must_use]
    pub fn tail(&self) -> Vec<String> {
        self.tail.lines()
    }

    /// Waits for the end. May be called any number of times, and dropped at any point.
    ///
    /// # Errors
    /// [`Error::Lost`] if the runtime shuts down first.
    pub async fn wait(&self) -> Result<ExitStatus, Error> {
        let mut end = self.end.clone();
        let status = end.wait_for(Option::is_some).await.ok().and_then(|status| *status);
        status.ok_or_else(|| Error::Lost { name: self.name.clone() })
    }

    /// Sends `signal` to the child's process group; does nothing if the child has ended.
    pub async fn signal(&self, signal: Signal) {
        // A closed channel means that the child has been reaped, and its id may be somebody else's.
        let _ = self.signals.send(signal).await;
    }

    /// Asks the child's process group to end with `signal`, and kills it after `grace`.
    ///
    /// # Errors
    /// As [`wait`](Self::wait).
    pub async fn stop(&self, signal: Signal, grace: Duration) -> Result<ExitStatus, Error> {
        self.signal(signal).await;
        if let Ok(ended) = timeout(grace, self.wait()).await {
            return ended;
        }
        tracing::warn!(child = %self.name, pid = self.pid, %signal, ?grace, "has not ended when asked to; killing it");
        self.signal(Signal::SIGKILL).await;
        self.wait().await
    }
}

/// The output is left out: what a child prints is not ours to repeat.
impl fmt::Debug for Child {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Child").field("name", &self.name).field("pid", &self.pid).finish_non_exhaustive()
    }
}

/// Waits for the end and forwards signals until then. One task does both, so that no signal follows the reaping.
async fn attend(
    mut process: tokio::process::Child,
    mut group: Group,
    mut orders: mpsc::Receiver<Signal>,
) -> Option<ExitStatus> {
    loop {
        tokio::select! {
            status = process.wait() => {
                group.bury();
                return status.inspect_err(|error| tracing::error!(%error, "a child cannot be waited for")).ok();
            }
            // `None` cannot happen while the handle lives, and without the handle this task is aborted.
            Some(signal) = orders.recv() => group.signal(signal),
        }
    }
}

/// A child's process group: the right to signal it, which ends when the child is reaped.
struct Group {
    leader: Option<Pid>,
    death_signal: Signal,
}

impl Group {
    fn of(pid: u32, death_signal: Signal) -> Self {
        let leader = i32::try_from(pid).ok().filter(|pid| *pid > 0).map(Pid::from_raw);
        Self { leader, death_signal }
    }

    fn signal(&self, signal: Signal) {
        let Some(leader) = self.leader else { return };
        let outcome = match killpg(leader, signal) {
            // The launcher has not made its session yet, so there is no group to find.
            Err(Errno::ESRCH) => kill(leader, signal),
            outcome => outcome,
        };
        if let Err(error) = outcome.or_else(already_gone) {
            tracing::warn!(pid = leader.as_raw(), %signal, %error, "cannot signal a child");
        }
    }

    /// The leader is reaped: what it left behind in its group is killed. The number cannot have been given to another
    /// group yet; the kernel hands process ids out in a cycle.
    fn bury(&mut self) {
        if let Some(leader) = self.leader.take()
            && let Err(error) = killpg(leader, Signal::SIGKILL).or_else(already_gone)
        {
            tracing::warn!(pid = leader.as_raw(), %error, "cannot kill what a child left behind");
        }
    }
}

/// The handle was dropped while the child ran: it has lost its owner, as if that had died.
impl Drop for Group {
    fn drop(&mut self) {
        self.signal(self.death_signal);
    }
}

fn already_gone(errno: Errno) -> nix::Result<()> {
    if errno == Errno::ESRCH { Ok(()) } else { Err(errno) }
}
