//! The workspace and control APIs of Omni.

use std::process::ExitCode;

use clap::Parser;
use omni_api::{Arguments, BAD_CONFIGURATION, BAD_USAGE, Command, Misconfigured, check, run, write_reference};

fn main() -> ExitCode {
    // A data plane's servers are started through this program itself; see `omni-supervise`.
    omni_supervise::launcher::intercept();
    // Foreign files are read by this program in another role; see `omni-documents`.
    omni_documents::worker::intercept();
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(usage) => {
            // Nothing is left to do if the terminal is gone.
            let _ = usage.print();
            return if usage.use_stderr() { ExitCode::from(BAD_USAGE) } else { ExitCode::SUCCESS };
        }
    };
    let outcome = match &arguments.command {
        Some(Command::Reference { folder }) => write_reference(folder),
        None if arguments.check_config => check(&arguments),
        None => run(&arguments),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&error);
            let is_configuration = error.chain().any(<dyn std::error::Error>::is::<Misconfigured>);
            if is_configuration { ExitCode::from(BAD_CONFIGURATION) } else { ExitCode::FAILURE }
        }
    }
}

#[expect(clippy::print_stderr, reason = "a program that cannot start says why where its starter looks")]
fn complain(error: &anyhow::Error) {
    eprintln!("omni-api: {error:#}");
}
