//! The gateway: runs the programs that connect chat channels, and tells the control plane how they are.
//!
//! It waits for the control plane for as long as that takes, learns what is needed ([`needs`]), registers itself and beats
//! ([`membership`]), and goes on with what it has whenever the control plane is away ([`control_plane`]). Nothing but a
//! signal, a command or a successor stops it.
//!
//! It knows the control plane by what goes over the wire alone: no database, no bus, no web framework.

mod arguments;
mod control_plane;
mod membership;
mod needs;
mod pace;
mod run;

use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

use clap::Parser;
use omni_process::{BAD_CONFIGURATION, BAD_USAGE, Misconfigured};

use crate::arguments::Arguments;
use crate::membership::SPAWN_TOKEN;
use crate::run::{After, check, run};

fn main() -> ExitCode {
    // Channels are started through this program itself; see `omni-supervise`.
    omni_supervise::launcher::intercept();
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(usage) => {
            // Nothing is left to do if the terminal is gone.
            let _ = usage.print();
            return if usage.use_stderr() { ExitCode::from(BAD_USAGE) } else { ExitCode::SUCCESS };
        }
    };
    let outcome = if arguments.check_config { check(&arguments).map(|()| After::End) } else { run(&arguments) };
    match outcome {
        Ok(After::End) => ExitCode::SUCCESS,
        Ok(After::Restart) => fail(&anyhow::Error::from(begin_again()).context("cannot begin again")),
        Err(error) => fail(&error),
    }
}

/// Puts a new gateway in this process's place, and answers only if that fails. Its spawn token was good for one life.
fn begin_again() -> std::io::Error {
    match std::env::current_exe() {
        Ok(program) => Command::new(program).args(std::env::args_os().skip(1)).env_remove(SPAWN_TOKEN).exec(),
        Err(error) => error,
    }
}

#[expect(clippy::print_stderr, reason = "a program that cannot go on says why where its starter looks")]
fn fail(error: &anyhow::Error) -> ExitCode {
    eprintln!("gateway: {error:#}");
    let is_configuration = error.chain().any(<dyn std::error::Error>::is::<Misconfigured>);
    if is_configuration { ExitCode::from(BAD_CONFIGURATION) } else { ExitCode::FAILURE }
}
