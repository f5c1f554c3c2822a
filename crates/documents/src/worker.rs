//! The process in which foreign files are read.
//!
//! It is our own executable, started once more with a private first argument; [`intercept`] notices that. The launcher of
//! `omni-supervise` has already set its limits and tied it to the life of its owner. It first gives up its rights
//! ([`confine`]), then reads the file from standard input, and writes its answer, as JSON, to standard output.

use std::ffi::OsStr;
use std::io::{self, BufWriter, Read, Write};
use std::os::unix::process::CommandExt;
use std::process::{Command, exit};

use serde::{Deserialize, Serialize};

use crate::{Extract, Flaw, Format, confine, read};

/// The first argument that turns one of our programs into a reader of files. Nobody types it.
pub(crate) const READ_MARKER: &str = "__document-worker";
/// The first argument that makes one of our programs give up the network and become the program that follows.
pub(crate) const OFFLINE_MARKER: &str = "__offline-launch";

/// The job or its answer could not be read or written, which only a defect of ours explains.
pub(crate) const EXIT_PROTOCOL: i32 = 64;
/// The program that was to run offline cannot be run, as with `env(1)`.
pub(crate) const EXIT_NOT_RUNNABLE: i32 = 126;
/// The network could not be given up.
pub(crate) const EXIT_UNCONFINED: i32 = 65;

/// What to read, and how. It travels as an argument; the file comes by standard input.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Job {
    pub(crate) format: Format,
    pub(crate) charset: Option<String>,
    pub(crate) selector: Option<String>,
    pub(crate) main_text: bool,
    /// The most bytes of the file.
    pub(crate) file_limit: u64,
    /// The most bytes of text.
    pub(crate) text_limit: usize,
}

/// What the worker says at the end.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Answer {
    Extract(Extract),
    Flaw(Flaw),
    Unconfined,
}

/// Becomes a worker if this process was started as one, and then never returns; otherwise does nothing.
///
/// Call it in `main` right after `omni_supervise::launcher::intercept`, before any thread, runtime or argument parser.
pub fn intercept() {
    let mut words = std::env::args_os().skip(1);
    let marker = words.next();
    if marker.as_deref() == Some(OsStr::new(READ_MARKER)) {
        let job = words.next().and_then(|job| serde_json::from_str(job.to_str()?).ok());
        exit(job.map_or(EXIT_PROTOCOL, |job| work(&job)));
    }
    if marker.as_deref() == Some(OsStr::new(OFFLINE_MARKER)) {
        let Some(program) = words.next() else { exit(EXIT_PROTOCOL) };
        if confine::go_offline().is_err() {
            exit(EXIT_UNCONFINED);
        }
        let error = Command::new(&program).args(words).exec();
        // Nobody is left to tell if standard error is closed; the exit code still says it.
        let _ = writeln!(io::stderr(), "cannot run {}: {error}", program.display());
        exit(EXIT_NOT_RUNNABLE);
    }
}

/// Gives up, for good and for all threads to come, everything that reading does not take: opening files, the network,
/// other programs, other processes, memory that can be executed. What is open stays open.
///
/// On Linux (x86-64 and 64-bit ARM) the kernel enforces it. Elsewhere there is no such thing and this does nothing; there
/// the worker is held by its limits and by being a process of its own.
///
/// # Errors
/// If the kernel does not do it.
pub fn confine() -> io::Result<()> {
    confine::to_memory_and_open_files()
}

fn work(job: &Job) -> i32 {
    let answer = match confine() {
        Ok(()) => match read_input(job).and_then(|file| read::read(&file, job)) {
            Ok(extract) => Answer::Extract(extract),
            Err(flaw) => Answer::Flaw(flaw),
        },
        Err(_) => Answer::Unconfined,
    };
    let mut output = BufWriter::new(io::stdout().lock());
    match serde_json::to_writer(&mut output, &answer).map_err(io::Error::from).and_then(|()| output.flush()) {
        Ok(()) => 0,
        Err(_) => EXIT_PROTOCOL,
    }
}

fn read_input(job: &Job) -> Result<Vec<u8>, Flaw> {
    let mut file = Vec::new();
    // One byte more, to see that there is more.
    let read = io::stdin().lock().take(job.file_limit.saturating_add(1)).read_to_end(&mut file);
    match read.map(|read| u64::try_from(read).unwrap_or(u64::MAX)) {
        Ok(0) => Err(Flaw::Empty),
        Ok(read) if read > job.file_limit => Err(Flaw::TooLarge { limit: job.file_limit }),
        Ok(_) => Ok(file),
        Err(_) => Err(Flaw::Damaged { format: job.format }),
    }
}
