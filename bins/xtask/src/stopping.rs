//! Being asked to stop, and passing it on.

use std::process::{ExitCode, ExitStatus};
use std::time::Duration;

use std::os::unix::process::ExitStatusExt;

use omni_supervise::{Child, Signal};
use tokio::signal::unix::{self, SignalKind};

/// Ctrl-C, `kill`, and a terminal that was closed. Children are in sessions of their own and hear none of it; whoever
/// holds this passes it on, once and in order.
pub(crate) struct StopRequests {
    interrupt: unix::Signal,
    terminate: unix::Signal,
    hangup: unix::Signal,
}

impl StopRequests {
    pub(crate) fn listen() -> anyhow::Result<Self> {
        Ok(Self {
            interrupt: unix::signal(SignalKind::interrupt())?,
            terminate: unix::signal(SignalKind::terminate())?,
            hangup: unix::signal(SignalKind::hangup())?,
        })
    }

    /// The next request.
    pub(crate) async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            _ = self.hangup.recv() => {}
        }
    }

    /// Waits for `child` to end; a request stops it first, and is an answer of `None`.
    pub(crate) async fn wait_or_stop(&mut self, child: &Child) -> anyhow::Result<Option<ExitStatus>> {
        tokio::select! {
            status = child.wait() => return Ok(Some(status?)),
            () = self.next() => {}
        }
        self.stop(child, Signal::SIGINT, Duration::from_secs(20)).await?;
        Ok(None)
    }

    /// Stops `child`; a second request while it takes its time kills it.
    pub(crate) async fn stop(&mut self, child: &Child, signal: Signal, grace: Duration) -> anyhow::Result<ExitStatus> {
        tokio::select! {
            status = child.stop(signal, grace) => return Ok(status?),
            () = self.next() => {}
        }
        Ok(child.stop(Signal::SIGKILL, Duration::ZERO).await?)
    }
}

/// What a shell makes of a status: the code, or 128 and the signal.
pub(crate) fn exit_code(status: ExitStatus) -> ExitCode {
    let code = status.code().or_else(|| Some(128 + status.signal()?)).and_then(|code| u8::try_from(code).ok());
    code.map_or(ExitCode::FAILURE, ExitCode::from)
}

/// What a shell makes of Ctrl-C.
pub(crate) fn interrupted() -> ExitCode {
    ExitCode::from(130)
}
