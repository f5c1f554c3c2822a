//! Having a file read by a child process.

use std::io::{PipeReader, SeekFrom};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::{Duration, Instant};

use dom_query::Matcher;
use nix::sys::signal::Signal;
use omni_supervise::{Child, Limits, Output, Spec, Supervisor};
use std::os::unix::process::ExitStatusExt;
use tokio::fs::File;
use tokio::io::{AsyncReadExt, AsyncSeekExt};
use tokio::net::unix::pipe::Receiver;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::worker::{Answer, Job, READ_MARKER};
use crate::{Extract, Flaw, Format, SNIFFED_BYTES, Unreadable};

/// The longest selector.
const MAX_SELECTOR: usize = 1024;
/// How deep a selector nests.
const MAX_SELECTOR_DEPTH: usize = 16;
/// An answer may be so much longer than its text: escaped line ends and quotes, metadata, the links of a page.
const ANSWER_OVERHEAD: usize = 8 * 1024 * 1024;
/// A panic of a reader.
const EXIT_PANIC: i32 = 101;

/// Sees to it that this can be a [`ParseRequest::selector`].
///
/// # Errors
/// [`Flaw::Selector`] if it is no CSS selector, or a longer or deeper one than anybody means.
pub fn check_selector(selector: &str) -> Result<(), Flaw> {
    let is_deep = selector.matches('(').count() > MAX_SELECTOR_DEPTH;
    if selector.len() > MAX_SELECTOR || is_deep || Matcher::new(selector).is_err() {
        return Err(Flaw::Selector);
    }
    Ok(())
}

/// What a child may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ParseLimits {
    /// Children at a time; those who come later wait.
    pub children: usize,
    /// From the start of the child to its answer.
    pub deadline: Duration,
    /// Seconds of processor time.
    pub processor_seconds: u64,
    /// Bytes of address space.
    pub memory: u64,
    /// Bytes of a file.
    pub file_bytes: u64,
    /// Bytes of text, headings included.
    pub text_bytes: usize,
    /// Whether children step back behind others that want a processor.
    pub background: bool,
}

/// As many children as processors but for one, in the background; two minutes, 20 seconds of them computing; 512 MiB; files of 100 MB with 32 MiB
/// of text.
impl Default for ParseLimits {
    fn default() -> Self {
        Self {
            children: std::thread::available_parallelism().map_or(1, |processors| processors.get().max(2) - 1),
            deadline: Duration::from_secs(120),
            processor_seconds: 20,
            memory: 512 * 1024 * 1024,
            file_bytes: 100_000_000,
            text_bytes: 32 * 1024 * 1024,
            background: true,
        }
    }
}

/// How to read a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ParseRequest {
    /// What its sender called it. Only the end of it is looked at, and it is never used as a path.
    pub file_name: Option<String>,
    /// What it is, if that is known by better means than its name (a `Content-Type`).
    pub format: Option<Format>,
    /// The encoding of text, if a server named it, as in HTML.
    pub charset: Option<String>,
    /// Of a web page, only what this CSS selector matches.
    pub selector: Option<String>,
    /// Of a web page, only what its reader came for. A selector goes before it.
    pub main_text: bool,
}

impl ParseRequest {
    /// A file of which only the name is known.
    #[must_use]
    pub fn named(file_name: impl Into<String>) -> Self {
        Self { file_name: Some(file_name.into()), ..Self::default() }
    }
}

/// Reads foreign files, each in a process of its own. Clones share the limit of children.
#[derive(Debug, Clone)]
pub struct Parser {
    supervisor: Supervisor,
    worker: Arc<Path>,
    limits: ParseLimits,
    slots: Arc<Semaphore>,
}

impl Parser {
    /// A parser whose worker is the program that runs as the launcher of `supervisor`, which must call
    /// [`worker::intercept`](crate::worker::intercept) in `main`.
    ///
    /// On other systems than Linux it must be the running program.
    ///
    /// # Errors
    /// [`Unreadable::File`] if the path of the running program is unknown.
    pub fn new(supervisor: Supervisor, limits: ParseLimits) -> Result<Self, Unreadable> {
        Ok(Self {
            supervisor,
            worker: this_program()?.into(),
            limits,
            slots: Arc::new(Semaphore::new(limits.children.clamp(1, Semaphore::MAX_PERMITS))),
        })
    }

    /// Reads `file`. Dropping the future kills the child.
    ///
    /// Waits while there are as many children as the limits allow; the deadline begins afterwards.
    ///
    /// # Errors
    /// [`Unreadable`], whatever happens in the child. A PDF without text is not an error: its
    /// [`pages_without_text`](Extract::pages_without_text) are what OCR is for.
    pub async fn parse(&self, file: &Path, request: ParseRequest) -> Result<Extract, Unreadable> {
        let mut file = File::open(file).await.map_err(Unreadable::File)?;
        let format = self.sniff(&mut file, &request).await?;
        if format.is_image() {
            return Err(Flaw::Picture { format }.into());
        }
        if let Some(selector) = &request.selector {
            check_selector(selector)?;
        }
        let job = Job {
            format,
            charset: request.charset.map(|charset| charset.chars().take(64).collect()),
            selector: request.selector,
            main_text: request.main_text,
            file_limit: self.limits.file_bytes,
            text_limit: self.limits.text_bytes,
        };
        // Closed semaphores are an error, and this one is never closed.
        let _slot = self.slots.acquire().await;
        let answer = timeout(self.limits.deadline, self.run(file.into_std().await, &job)).await;
        match answer.map_err(|_| Unreadable::TookTooLong { seconds: self.limits.deadline.as_secs() })?? {
            Answer::Extract(extract) => Ok(extract),
            Answer::Flaw(flaw) => Err(flaw.into()),
            Answer::Unconfined => Err(Unreadable::Unconfined),
        }
    }

    async fn sniff(&self, file: &mut File, request: &ParseRequest) -> Result<Format, Unreadable> {
        let size = file.metadata().await.map_err(Unreadable::File)?.len();
        if size > self.limits.file_bytes {
            return Err(Flaw::TooLarge { limit: self.limits.file_bytes }.into());
        }
        let mut head = Vec::with_capacity(SNIFFED_BYTES);
        let bytes = u64::try_from(SNIFFED_BYTES).unwrap_or(u64::MAX);
        file.take(bytes).read_to_end(&mut head).await.map_err(Unreadable::File)?;
        file.seek(SeekFrom::Start(0)).await.map_err(Unreadable::File)?;
        let claimed = request.format.or_else(|| Format::from_file_name(request.file_name.as_deref()?));
        Ok(Format::check(&head, claimed)?)
    }

    async fn run(&self, file: std::fs::File, job: &Job) -> Result<Answer, Unreadable> {
        let started = Instant::now();
        let (reader, child) = self.start(file, job).await?;
        let limit = job.text_limit.saturating_mul(2).saturating_add(ANSWER_OVERHEAD);
        let answer = read_answer(reader, limit).await?;
        let status = child.wait().await?;
        if answer.len() > limit {
            return Err(Flaw::TooMuchText { limit: job.text_limit }.into());
        }
        if status.success() {
            return serde_json::from_slice(&answer).map_err(|error| Unreadable::Garbled(Some(error)));
        }
        Err(self.post_mortem(status, &child.tail(), started.elapsed(), job))
    }

    async fn start(&self, file: std::fs::File, job: &Job) -> Result<(PipeReader, Child), Unreadable> {
        let words = serde_json::to_string(job).map_err(|error| Unreadable::Garbled(Some(error)))?;
        let (reader, writer) = std::io::pipe().map_err(Unreadable::Transfer)?;
        let limits = Limits {
            address_space: Some(self.limits.memory),
            cpu_seconds: Some(self.limits.processor_seconds),
            // Not even a core dump. A pipe is no file.
            file_size: Some(0),
            open_files: Some(16),
        };
        let spec = Spec::new("document worker", &*self.worker)
            .args([READ_MARKER, &words])
            .input(file)
            .output(Output::Bytes(Arc::new(writer)))
            .limits(limits)
            .background(self.limits.background);
        Ok((reader, self.supervisor.spawn(spec).await?))
    }

    /// What became of a child that did not answer.
    fn post_mortem(&self, status: ExitStatus, tail: &[String], lived: Duration, job: &Job) -> Unreadable {
        let said = |words: &str| tail.iter().any(|line| line.contains(words));
        tracing::debug!(%status, ?lived, format = job.format.name(), "a document worker failed");
        match (status.code(), status.signal().and_then(|signal| Signal::try_from(signal).ok())) {
            (Some(EXIT_PANIC), _) => Flaw::Damaged { format: job.format }.into(),
            (Some(code), _) => Unreadable::NoWorker { code: Some(code) },
            // What the standard library says before it aborts.
            _ if said("memory allocation of") => Unreadable::TookTooMuchMemory { bytes: self.limits.memory },
            // The kernel kills at the limit; before that, it was somebody else.
            (_, Some(Signal::SIGKILL | Signal::SIGXCPU)) if lived.as_secs() >= self.limits.processor_seconds => {
                Unreadable::TookTooMuchProcessorTime { seconds: self.limits.processor_seconds }
            }
            _ => Unreadable::Crashed,
        }
    }
}

/// Reads to the end, or one byte further than `limit`.
async fn read_answer(reader: PipeReader, limit: usize) -> Result<Vec<u8>, Unreadable> {
    let pipe = Receiver::from_owned_fd(OwnedFd::from(reader)).map_err(Unreadable::Transfer)?;
    let mut answer = Vec::new();
    let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    pipe.take(most).read_to_end(&mut answer).await.map_err(Unreadable::Transfer)?;
    Ok(answer)
}

/// The worker's path, as the launcher finds it: on Linux the link leads to the launcher's own program.
pub(crate) fn this_program() -> Result<PathBuf, Unreadable> {
    if cfg!(target_os = "linux") {
        Ok(PathBuf::from("/proc/self/exe"))
    } else {
        std::env::current_exe().map_err(Unreadable::File)
    }
}
