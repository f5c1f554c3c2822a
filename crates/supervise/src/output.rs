//! Reading what a child writes, without ever holding more than a bounded part of it.

use std::collections::VecDeque;
use std::io::{self, PipeReader, PipeWriter};
use std::os::fd::OwnedFd;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe::Receiver;
use tokio::sync::mpsc;

use crate::LogFile;
use crate::log_file::OpenLog;

/// Bytes of a line that are kept; the rest of the line is counted and dropped.
const LONGEST_LINE: usize = 16 * 1024;
/// Lines kept in memory to explain an unexpected end.
const TAIL_LINES: usize = 32;
/// Bytes read at once.
const CHUNK: usize = 8 * 1024;

/// Where a child's standard output and standard error go.
///
/// Everything but [`Inherit`](Self::Inherit), [`InheritStderr`](Self::InheritStderr) and [`Bytes`](Self::Bytes) is read
/// line by line from one pipe, so the order of the two streams is kept; lines over 16 KiB are cut; the last 32 stay readable
/// with [`Child::tail`](crate::Child::tail).
#[derive(Debug, Clone)]
pub enum Output {
    /// To the owner's own standard output and standard error.
    Inherit,
    /// Both to the owner's standard error, because its standard output says something else.
    InheritStderr,
    /// Nowhere, except for the tail.
    Discard,
    /// One log event per line, at level `info`, with the child's name.
    Trace,
    /// To a file of bounded size.
    File(LogFile),
    /// To a reader. A reader that does not keep up makes the child wait at its next write.
    Lines(mpsc::Sender<String>),
    /// Standard output, byte for byte, into a pipe whose other end the owner reads; standard error nowhere, except for
    /// the tail. The pipe ends when the child and every clone of the [`Spec`](crate::Spec) are gone.
    Bytes(Arc<PipeWriter>),
}

/// The two ends of a child's output.
pub(crate) struct Plumbing {
    pub(crate) stdout: Stdio,
    pub(crate) stderr: Stdio,
    pub(crate) capture: Option<Capture>,
}

impl Plumbing {
    /// Must be called inside a runtime.
    pub(crate) async fn lay(name: &str, output: Output) -> io::Result<Self> {
        let mut bytes = None;
        let sink = match output {
            Output::Inherit => {
                return Ok(Self { stdout: Stdio::inherit(), stderr: Stdio::inherit(), capture: None });
            }
            Output::InheritStderr => {
                return Ok(Self { stdout: Stdio::from(io::stderr()), stderr: Stdio::inherit(), capture: None });
            }
            Output::Discard => Sink::Nowhere,
            Output::Trace => Sink::Trace { name: name.to_owned() },
            Output::File(file) => Sink::File(file.open().await?),
            Output::Lines(sender) => Sink::Lines(sender),
            Output::Bytes(writer) => {
                bytes = Some(writer.try_clone()?);
                Sink::Nowhere
            }
        };
        let (reader, writer) = io::pipe()?;
        let stderr = writer.try_clone()?;
        Ok(Self {
            stdout: bytes.map_or_else(|| Stdio::from(writer), Stdio::from),
            stderr: Stdio::from(stderr),
            capture: Some(Capture::new(reader, sink)?),
        })
    }
}

/// The reading end of the pipe, and where its lines go.
pub(crate) struct Capture {
    pipe: Receiver,
    sink: Sink,
    tail: Tail,
}

enum Sink {
    Nowhere,
    Trace { name: String },
    File(OpenLog),
    Lines(mpsc::Sender<String>),
}

impl Capture {
    fn new(reader: PipeReader, sink: Sink) -> io::Result<Self> {
        Ok(Self { pipe: Receiver::from_owned_fd(OwnedFd::from(reader))?, sink, tail: Tail::default() })
    }

    pub(crate) fn tail(&self) -> Tail {
        self.tail.clone()
    }

    /// Reads until every process that held the writing end has closed it.
    pub(crate) async fn drain(mut self) {
        let mut cutter = LineCutter::default();
        let mut chunk = Vec::with_capacity(CHUNK);
        loop {
            chunk.clear();
            match self.pipe.read_buf(&mut chunk).await {
                Ok(0) => break,
                Ok(_) => self.take(cutter.feed(&chunk)).await,
                Err(error) => {
                    tracing::warn!(%error, "a child's output cannot be read any further");
                    break;
                }
            }
        }
        self.take(cutter.finish().into_iter().collect()).await;
    }

    async fn take(&mut self, lines: Vec<String>) {
        self.tail.push(&lines);
        match &mut self.sink {
            Sink::Nowhere => {}
            Sink::Trace { name } => {
                for line in &lines {
                    tracing::info!(target: "child", child = name.as_str(), "{line}");
                }
            }
            Sink::File(log) => log.append(&lines).await,
            Sink::Lines(reader) => {
                for line in lines {
                    if reader.send(line).await.is_err() {
                        self.sink = Sink::Nowhere;
                        break;
                    }
                }
            }
        }
    }
}

/// The last lines of a child, for the sentence that explains its end.
#[derive(Clone, Default)]
pub(crate) struct Tail(Arc<Mutex<VecDeque<String>>>);

impl Tail {
    fn push(&self, lines: &[String]) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.extend(lines.iter().cloned());
        let excess = kept.len().saturating_sub(TAIL_LINES);
        kept.drain(..excess);
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}

/// Cuts a stream of bytes into lines of bounded length.
#[derive(Default)]
struct LineCutter {
    line: Vec<u8>,
    dropped: usize,
}

impl LineCutter {
    fn feed(&mut self, bytes: &[u8]) -> Vec<String> {
        let mut lines = Vec::new();
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            let (text, ended) = piece.strip_suffix(b"\n").map_or((piece, false), |text| (text, true));
            let kept = text.len().min(LONGEST_LINE.saturating_sub(self.line.len()));
            self.line.extend(text.iter().take(kept));
            self.dropped += text.len() - kept;
            if ended {
                lines.push(self.end_line());
            }
        }
        lines
    }

    /// A last line that no newline ended.
    fn finish(&mut self) -> Option<String> {
        (!self.line.is_empty()).then(|| self.end_line())
    }

    fn end_line(&mut self) -> String {
        let mut line = String::from_utf8_lossy(&self.line).trim_end_matches('\r').to_owned();
        if self.dropped > 0 {
            line.push_str(&format!(" … [{} bytes cut]", self.dropped));
        }
        self.line.clear();
        self.dropped = 0;
        line
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cut(chunks: &[&[u8]]) -> Vec<String> {
        let mut cutter = LineCutter::default();
        let mut lines: Vec<_> = chunks.iter().flat_map(|chunk| cutter.feed(chunk)).collect();
        lines.extend(cutter.finish());
        lines
    }

    #[test]
    fn a_line_may_arrive_in_pieces_and_the_last_may_lack_its_end() {
        assert_eq!(cut(&[b"on", b"e\ntwo\r\n", b"\nlast"]), ["one", "two", "", "last"]);
    }

    #[test]
    fn a_line_without_end_never_grows_past_the_limit() {
        let flood = vec![b'x'; 100 * 1024];
        let mut cutter = LineCutter::default();
        for _ in 0..10 {
            assert!(cutter.feed(&flood).is_empty());
            assert!(cutter.line.len() <= LONGEST_LINE);
        }
        let line = cutter.feed(b"\n").remove(0);
        assert!(line.starts_with("xxx"), "{}", &line[..10]);
        assert!(line.ends_with(&format!(" … [{} bytes cut]", 10 * 100 * 1024 - LONGEST_LINE)));
        assert_eq!(cutter.feed(b"next\n"), ["next"]);
    }

    #[test]
    fn the_tail_forgets_the_oldest() {
        let tail = Tail::default();
        tail.push(&(0..100).map(|n| n.to_string()).collect::<Vec<_>>());
        let lines = tail.lines();
        assert_eq!((lines.len(), lines[0].as_str(), lines[31].as_str()), (TAIL_LINES, "68", "99"));
    }

    proptest! {
        #[test]
        fn where_the_chunks_end_does_not_matter(text in "[a-z\n]{0,200}", at in 0usize..200) {
            let (left, right) = text.as_bytes().split_at(at.min(text.len()));
            prop_assert_eq!(cut(&[left, right]), cut(&[text.as_bytes()]));
        }
    }
}
