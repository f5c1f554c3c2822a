use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::{io, thread};

use tokio::process::Command;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};

use crate::child::Child;
use crate::order::Order;
use crate::output::Plumbing;
use crate::{Error, Spec};

/// Requests to start a child that may wait for one another; each takes about a millisecond.
const WAITING_FORKS: usize = 16;

/// Starts children.
///
/// The kernel sends the death signal when the *thread* that forked the child ends, not the process. Worker threads of a
/// runtime come and go; so all children are forked by one thread that this handle owns. It ends with the process, or
/// when the last clone of the supervisor and the last [`Child`] are dropped.
#[derive(Debug, Clone)]
pub struct Supervisor {
    launcher: Arc<Path>,
    forks: mpsc::Sender<Fork>,
}

#[derive(Debug)]
struct Fork {
    command: Command,
    runtime: Handle,
    reply: oneshot::Sender<io::Result<tokio::process::Child>>,
}

impl Supervisor {
    /// A supervisor whose launcher is the running program, which must call [`launcher::intercept`] first in `main`.
    ///
    /// [`launcher::intercept`]: crate::launcher::intercept
    ///
    /// # Errors
    /// [`Error::Launcher`] if the path of the running program is unknown, [`Error::Thread`] if there is no thread left.
    pub fn start_with_this_program() -> Result<Self, Error> {
        // On Linux the link leads to the very file that is running, also after a rebuild has replaced it on disk.
        let launcher = if cfg!(target_os = "linux") {
            PathBuf::from("/proc/self/exe")
        } else {
            std::env::current_exe().map_err(Error::Launcher)?
        };
        Self::start(launcher)
    }

    /// A supervisor with another launcher, for programs whose `main` is not ours (tests): any executable that calls
    /// [`launcher::intercept`] first in `main`.
    ///
    /// [`launcher::intercept`]: crate::launcher::intercept
    ///
    /// # Errors
    /// [`Error::Thread`] if there is no thread left.
    pub fn start(launcher: impl Into<PathBuf>) -> Result<Self, Error> {
        let (forks, requests) = mpsc::channel(WAITING_FORKS);
        thread::Builder::new()
            .name("supervisor".to_owned())
            .spawn(|| fork_on_request(requests))
            .map_err(Error::Thread)?;
        Ok(Self { launcher: launcher.into().into(), forks })
    }

    /// Starts a child. It is running, or on its way through the launcher, when this returns; a program that cannot be
    /// run shows as an exit with code 125 to 127 and a line in its output.
    ///
    /// Must be called inside a tokio runtime, which attends the child from then on.
    ///
    /// # Errors
    /// [`Error::Input`] and [`Error::Output`] if its input or its output cannot be laid, [`Error::Spawn`] if the launcher
    /// cannot be started.
    pub async fn spawn(&self, spec: Spec) -> Result<Child, Error> {
        let name = spec.name.clone();
        let death_signal = spec.death_signal;
        let mut command = Command::new(&*self.launcher);
        command.args(Order::new(&spec, nix::unistd::getpid().as_raw()).encode());
        if !spec.inherit_env {
            command.env_clear();
        }
        for (name, value) in &spec.env {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        let no_output = |source| Error::Output { name: name.clone(), source };
        command.stdin(match &spec.input {
            Some(file) => Stdio::from(file.try_clone().map_err(|source| Error::Input { name: name.clone(), source })?),
            None => Stdio::null(),
        });
        if let Some(cwd) = &spec.cwd {
            command.current_dir(cwd);
        }
        let plumbing = Plumbing::lay(&name, spec.output).await.map_err(no_output)?;
        command.stdout(plumbing.stdout).stderr(plumbing.stderr);

        let (reply, started) = oneshot::channel();
        let fork = Fork { command, runtime: Handle::current(), reply };
        self.forks.send(fork).await.map_err(|_| Error::Stopped)?;
        let process = started.await.map_err(|_| Error::Stopped)?.map_err(|source| Error::Spawn {
            name: name.clone(),
            launcher: self.launcher.to_path_buf(),
            source,
        })?;
        Ok(Child::attend(name, process, death_signal, plumbing.capture, self.clone()))
    }
}

fn fork_on_request(mut requests: mpsc::Receiver<Fork>) {
    while let Some(Fork { mut command, runtime, reply }) = requests.blocking_recv() {
        let _inside = runtime.enter();
        // Whoever asked may have stopped waiting; a child that nobody holds must not stay.
        if let Err(Ok(mut unwanted)) = reply.send(command.spawn())
            && let Err(error) = unwanted.start_kill()
        {
            tracing::warn!(%error, "a child that nobody waits for cannot be killed");
        }
    }
}
