//! What happens in the fresh process before it becomes the program that was asked for.
//!
//! A child has to change its account, and only then ask for its death signal, because a change of account clears it;
//! both from inside the new process. `pre_exec` closures could do that and are `unsafe`. So the owner starts *its own
//! executable* again with a private first argument; [`intercept`] notices it, does what the order says in plain safe
//! code, and replaces itself with the program by `exec`, under the same process id.

use std::ffi::OsStr;
use std::io::{self, Write};
use std::os::unix::process::CommandExt;
use std::process::{Command, exit};

use crate::order::{MARKER, Malformed, Order};

/// The launcher itself failed: a malformed order, an account that cannot be taken.
const EXIT_LAUNCHER: i32 = 125;
/// The program exists and cannot be run.
const EXIT_NOT_EXECUTABLE: i32 = 126;
/// There is no such program.
const EXIT_NOT_FOUND: i32 = 127;

/// Becomes the launcher if this process was started as one, and then never returns; otherwise does nothing.
///
/// Call it first thing in `main`, before any thread, runtime or argument parser.
///
/// If the program cannot be run the process says why on standard error and exits as `env(1)` does: 125 if the launcher
/// failed, 126 if the program cannot be executed, 127 if there is none.
pub fn intercept() {
    let mut words = std::env::args_os().skip(1);
    if words.next().as_deref() != Some(OsStr::new(MARKER)) {
        return;
    }
    let refusal = match Order::decode(words) {
        Ok(order) => launch(&order),
        Err(malformed) => Refusal::Malformed(malformed),
    };
    // Nobody is left to tell if standard error is closed; the exit code still says it.
    let _ = writeln!(io::stderr(), "{refusal}");
    exit(refusal.exit_code());
}

/// Why the process did not become the program.
#[derive(Debug, thiserror::Error)]
enum Refusal {
    #[error("{0}")]
    Malformed(#[from] Malformed),
    #[error("cannot {step} before running {program}: {source}")]
    Step { step: &'static str, program: String, source: io::Error },
    #[error("the process that started {program} is gone already")]
    Orphaned { program: String },
    #[error("cannot run {program}: {source}")]
    Exec { program: String, source: io::Error },
}

impl Refusal {
    fn exit_code(&self) -> i32 {
        match self {
            Self::Exec { source, .. } if source.kind() == io::ErrorKind::NotFound => EXIT_NOT_FOUND,
            Self::Exec { .. } => EXIT_NOT_EXECUTABLE,
            Self::Malformed(_) | Self::Step { .. } | Self::Orphaned { .. } => EXIT_LAUNCHER,
        }
    }
}

fn launch(order: &Order) -> Refusal {
    let program = order.program.to_string_lossy().into_owned();
    let mut command = Command::new(&order.program);
    command.args(&order.args);
    if let Err(refusal) = prepare(order, &program, &mut command) {
        return refusal;
    }
    Refusal::Exec { program, source: command.exec() }
}

/// The order of the steps matters: limits may need root to be set, the account goes next, and the death signal last.
fn prepare(order: &Order, program: &str, command: &mut Command) -> Result<(), Refusal> {
    let step = |step: &'static str| {
        move |errno: nix::Error| Refusal::Step { step, program: program.to_owned(), source: errno.into() }
    };
    nix::unistd::setsid().map_err(step("start a session"))?;
    if order.background {
        platform::step_back().map_err(step("step back behind other processes"))?;
    }
    limit(order).map_err(step("set resource limits"))?;
    platform::take_identity(order, command).map_err(step("change the account"))?;
    platform::arm_death_signal(order).map_err(step("ask for a death signal"))?;
    // The owner may have died before the signal was armed; then the kernel has nothing left to notice.
    if nix::unistd::getppid().as_raw() != order.owner {
        return Err(Refusal::Orphaned { program: program.to_owned() });
    }
    Ok(())
}

fn limit(order: &Order) -> nix::Result<()> {
    use nix::sys::resource::{Resource, setrlimit};

    let limits = &order.limits;
    let ceilings = [
        (Resource::RLIMIT_AS, limits.address_space),
        (Resource::RLIMIT_CPU, limits.cpu_seconds),
        (Resource::RLIMIT_FSIZE, limits.file_size),
        (Resource::RLIMIT_NOFILE, limits.open_files),
    ];
    for (resource, ceiling) in ceilings {
        if let Some(ceiling) = ceiling {
            setrlimit(resource, ceiling, ceiling)?;
        }
    }
    Ok(())
}

#[cfg(target_os = "linux")]
mod platform {
    use std::process::Command;

    use nix::sys::prctl;
    use nix::unistd::{Gid, Uid, setgid, setgroups, setuid};

    use crate::order::Order;

    /// About a tenth of what others get: enough to come to an end beside them.
    const NICENESS: i32 = 10;

    pub(super) fn take_identity(order: &Order, _: &mut Command) -> nix::Result<()> {
        if let Some(identity) = order.identity {
            let group = Gid::from_raw(identity.gid);
            setgroups(&[group])?;
            setgid(group)?;
            setuid(Uid::from_raw(identity.uid))?;
        }
        Ok(())
    }

    /// Lowers its own priority.
    pub(super) fn step_back() -> nix::Result<()> {
        rustix::process::setpriority_process(None, NICENESS)
            .map_err(|errno| nix::Error::from_raw(errno.raw_os_error()))?;
        // Where the kernel shares processors among sessions first, being nice counts only within this new one, and the
        // session has a niceness of its own. The kernel takes few such wishes at a time and may have no such file.
        let _ = std::fs::write("/proc/self/autogroup", NICENESS.to_string());
        Ok(())
    }

    /// Without new privileges a program that is set-uid cannot become somebody whom the signal no longer reaches.
    pub(super) fn arm_death_signal(order: &Order) -> nix::Result<()> {
        prctl::set_no_new_privs()?;
        prctl::set_pdeathsig(order.death_signal)
    }
}

#[cfg(not(target_os = "linux"))]
mod platform {
    use std::os::unix::process::CommandExt;
    use std::process::Command;

    use crate::order::Order;

    /// The standard library drops supplementary groups, then the group, then the user, at `exec`.
    pub(super) fn take_identity(order: &Order, command: &mut Command) -> nix::Result<()> {
        if let Some(identity) = order.identity {
            command.gid(identity.gid).uid(identity.uid);
        }
        Ok(())
    }

    /// There is no such signal here: the child outlives an owner that is killed outright.
    pub(super) fn arm_death_signal(_: &Order) -> nix::Result<()> {
        Ok(())
    }
}
