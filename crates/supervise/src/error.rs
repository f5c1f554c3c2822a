use std::io;
use std::path::PathBuf;

use omni_domain::ErrorKind;

/// Why a child could not be started, or what became of it cannot be told.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The operating system gave no thread to start children from.
    #[error("cannot start the supervisor's thread")]
    Thread(#[source] io::Error),
    /// The path of the running program, which is the launcher, is unknown.
    #[error("cannot tell the path of the running program")]
    Launcher(#[source] io::Error),
    /// The launcher could not be started, so neither was the child.
    #[error("cannot start {name} through {}", launcher.display())]
    Spawn {
        /// The child's name.
        name: String,
        /// The program that was to act as the launcher.
        launcher: PathBuf,
        /// What the operating system said.
        #[source]
        source: io::Error,
    },
    /// The file that the child was to read could not be handed to it.
    #[error("cannot hand its input to {name}")]
    Input {
        /// The child's name.
        name: String,
        /// What the operating system said.
        #[source]
        source: io::Error,
    },
    /// The pipe that carries the child's output, or the file it goes to, could not be made.
    #[error("cannot capture the output of {name}")]
    Output {
        /// The child's name.
        name: String,
        /// What the operating system said.
        #[source]
        source: io::Error,
    },
    /// The supervisor's thread is gone; it ends only with the process.
    #[error("the supervisor has stopped")]
    Stopped,
    /// The child is gone and its exit status with it: the runtime that attended it is shutting down.
    #[error("the exit status of {name} is lost")]
    Lost {
        /// The child's name.
        name: String,
    },
}

impl Error {
    /// The kind that decides how the edge answers.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Thread(_) | Self::Launcher(_) | Self::Stopped | Self::Lost { .. } => ErrorKind::Internal,
            Self::Spawn { .. } | Self::Input { .. } | Self::Output { .. } => ErrorKind::Unavailable,
        }
    }

    /// A stable word for logs and clients.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Thread(_) => "supervisor_thread",
            Self::Launcher(_) => "launcher_unknown",
            Self::Spawn { .. } => "spawn_failed",
            Self::Input { .. } => "input_failed",
            Self::Output { .. } => "output_capture_failed",
            Self::Stopped => "supervisor_stopped",
            Self::Lost { .. } => "exit_status_lost",
        }
    }
}
