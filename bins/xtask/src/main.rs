//! What one does to this repository, without anything installed but Rust and Python: `cargo xtask <command>`.

mod bench;
mod cargo;
mod machine;
mod parent;
mod plane;
mod probe;
mod reference;
mod stopping;
mod test;
mod test_plane;
mod up;

use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;
use omni_supervise::launcher;

/// Build, run, test and measure omni.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", disable_help_subcommand = true)]
enum Command {
    /// Start omni: the data plane if there is none, then omni-api and gateway. Ctrl-C stops all of it.
    Up(up::Arguments),
    /// Run every test, with a throw-away PostgreSQL and NATS.
    Test {
        /// For `cargo nextest run` (or `cargo test`) in place of `--workspace`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<OsString>,
    },
    /// Serve a throw-away PostgreSQL and NATS for tests that were not started by `cargo xtask test`.
    TestPlane(test_plane::Arguments),
    /// Run the benchmarks, with a throw-away PostgreSQL and NATS that are as careful as the real ones.
    Bench {
        /// For the benchmark program.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<OsString>,
    },
    /// Write the pages that are made from the code: OpenAPI documents, role matrix, settings.
    Gen,
}

fn main() -> ExitCode {
    launcher::intercept();
    match run(Command::parse()) {
        Ok(code) => code,
        Err(error) => {
            // Nobody is left to tell if standard error is closed; the exit code still says it.
            let _ = writeln!(io::stderr(), "error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> anyhow::Result<ExitCode> {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?.block_on(async {
        match command {
            Command::Up(arguments) => up::run(&arguments).await,
            Command::Test { args } => test::run(args).await,
            Command::TestPlane(arguments) => test_plane::run(&arguments).await,
            Command::Bench { args } => bench::run(args).await,
            Command::Gen => reference::run().await,
        }
    })
}
