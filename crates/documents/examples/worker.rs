//! Reads one file and prints its chunks: `worker <file> [name]`.
//!
//! A whole program that parses: it is the launcher, the worker and the one who asks. On standard error it says what the
//! file was and what reading it took.

use std::error::Error;
use std::io::{self, Write};
use std::path::PathBuf;
use std::time::Instant;

use nix::sys::resource::{UsageWho, getrusage};
use omni_documents::{Chunker, ParseLimits, ParseRequest, Parser, worker};
use omni_supervise::{Supervisor, launcher};

fn main() -> Result<(), Box<dyn Error>> {
    launcher::intercept();
    worker::intercept();

    let mut words = std::env::args_os().skip(1);
    let file = PathBuf::from(words.next().ok_or("usage: worker <file> [name]")?);
    let name = words.next().unwrap_or_else(|| file.clone().into_os_string());
    let request = ParseRequest::named(name.to_string_lossy());

    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let started = Instant::now();
    let extract = runtime.block_on(async {
        let parser = Parser::new(Supervisor::start_with_this_program()?, ParseLimits::default())?;
        parser.parse(&file, request).await.map_err(Box::<dyn Error>::from)
    })?;
    let read = started.elapsed();
    let started = Instant::now();
    let chunks = Chunker::default().chunks(&extract);
    let chunked = started.elapsed();
    for chunk in &chunks {
        writeln!(io::stdout(), "{}", serde_json::to_string(chunk)?)?;
    }
    let (us, child) = (getrusage(UsageWho::RUSAGE_SELF)?.max_rss(), getrusage(UsageWho::RUSAGE_CHILDREN)?.max_rss());
    writeln!(
        io::stderr(),
        "{}, {} sections, {} chunks; read in {read:?} (peak {child} KiB, here {us} KiB), cut in {chunked:?}",
        extract.format,
        extract.sections.len(),
        chunks.len(),
    )?;
    Ok(())
}
