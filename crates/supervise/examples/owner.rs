//! Owns one child: `owner <death signal> <program> [args…]`.
//!
//! Prints `child <pid>` once it runs, passes its output on, and exits with its code. Kill the owner any way you like and
//! look for the child.

use std::error::Error;
use std::io::{self, Write};
use std::process::ExitCode;
use std::str::FromStr;

use omni_supervise::{Output, Signal, Spec, Supervisor, launcher};

fn main() -> Result<ExitCode, Box<dyn Error>> {
    launcher::intercept();

    let mut args = std::env::args_os().skip(1);
    let usage = "usage: owner <death signal> <program> [args…]";
    let death_signal = Signal::from_str(&args.next().ok_or(usage)?.to_string_lossy())?;
    let program = args.next().ok_or(usage)?;
    let spec =
        Spec::new("child", program).args(args).inherit_env().death_signal(death_signal).output(Output::InheritStderr);

    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        let supervisor = Supervisor::start_with_this_program()?;
        let child = supervisor.spawn(spec).await?;
        writeln!(io::stdout(), "child {}", child.pid())?;
        let status = child.wait().await?;
        Ok(ExitCode::from(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1)))
    })
}
