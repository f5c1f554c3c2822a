//! What the tests stand on: the programs that act as workers, files, and archives made by hand.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use omni_documents::{Extract, ParseLimits, ParseRequest, Parser, Unreadable};
use omni_supervise::Supervisor;
use tempfile::TempDir;

/// An example that acts as launcher and worker, since a test's `main` is not ours; cargo builds it with the tests.
pub(crate) fn program(name: &str) -> PathBuf {
    let tests = std::env::current_exe().unwrap();
    let program = tests.parent().and_then(Path::parent).unwrap().join("examples").join(name);
    assert!(program.exists(), "{} is missing: run `cargo build -p omni-documents --examples`", program.display());
    program
}

/// Longer than the defaults, because tests share the machine with one another.
pub(crate) fn patient() -> ParseLimits {
    ParseLimits {
        deadline: Duration::from_secs(180),
        processor_seconds: 60,
        background: false,
        ..ParseLimits::default()
    }
}

pub(crate) fn supervisor(name: &str) -> Supervisor {
    Supervisor::start(program(name)).unwrap()
}

pub(crate) fn parser() -> Parser {
    Parser::new(supervisor("worker"), patient()).unwrap()
}

/// One of the files that were made by real programs.
pub(crate) fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)
}

/// Reads a sample under its own name.
pub(crate) async fn read_sample(name: &str) -> Result<Extract, Unreadable> {
    parser().parse(&sample(name), ParseRequest::named(name)).await
}

/// Reads bytes that somebody sent as `name`.
pub(crate) async fn read_bytes(name: &str, bytes: &[u8]) -> Result<Extract, Unreadable> {
    let (_directory, file) = stored(bytes);
    parser().parse(&file, ParseRequest::named(name)).await
}

/// A file with these bytes, and the directory that it goes away with. Its name says nothing.
pub(crate) fn stored(bytes: &[u8]) -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("upload");
    fs::write(&file, bytes).unwrap();
    (directory, file)
}

/// An archive whose headers say what the test wants them to say.
#[derive(Default)]
pub(crate) struct Zip {
    bytes: Vec<u8>,
    directory: Vec<u8>,
    parts: u16,
}

/// How a part is stored, and what the directory says of it.
pub(crate) struct Part<'a> {
    pub(crate) name: &'a str,
    /// 0 as it is, 8 deflated.
    pub(crate) method: u16,
    pub(crate) data: &'a [u8],
    pub(crate) declared_size: u32,
    pub(crate) unix_mode: u32,
}

impl Zip {
    pub(crate) fn text(self, name: &str, text: &str) -> Self {
        self.part(&Part {
            name,
            method: 0,
            data: text.as_bytes(),
            declared_size: text.len().try_into().unwrap(),
            unix_mode: 0o100_644,
        })
    }

    pub(crate) fn part(mut self, part: &Part<'_>) -> Self {
        let offset = self.bytes.len();
        let crc = flate2::Crc::new();
        let crc = if part.method == 0 {
            let mut crc = crc;
            crc.update(part.data);
            crc.sum()
        } else {
            0
        };
        let common = header(part, crc);
        self.bytes.extend(b"PK\x03\x04\x14\0");
        self.bytes.extend(&common);
        self.bytes.extend([0, 0]);
        self.bytes.extend(part.name.as_bytes());
        self.bytes.extend(part.data);
        self.list(part, crc, offset)
    }

    /// One more entry of the directory for a part that begins at `offset`.
    pub(crate) fn list(self, part: &Part<'_>, crc: u32, offset: usize) -> Self {
        self.list_often(part, crc, offset, 1)
    }

    /// The same entry over and over.
    pub(crate) fn list_often(mut self, part: &Part<'_>, crc: u32, offset: usize, times: usize) -> Self {
        let mut entry = b"PK\x01\x02\x14\x03\x14\0".to_vec();
        entry.extend(header(part, crc));
        entry.extend([0; 8]);
        entry.extend((part.unix_mode << 16).to_le_bytes());
        entry.extend(u32::try_from(offset).unwrap().to_le_bytes());
        entry.extend(part.name.as_bytes());
        self.directory.extend(entry.repeat(times));
        self.parts = self.parts.saturating_add(times.try_into().unwrap_or(u16::MAX));
        self
    }

    pub(crate) fn finish(mut self) -> Vec<u8> {
        let start = u32::try_from(self.bytes.len()).unwrap();
        let length = u32::try_from(self.directory.len()).unwrap();
        self.bytes.extend(self.directory);
        self.bytes.extend(b"PK\x05\x06\0\0\0\0");
        self.bytes.extend(self.parts.to_le_bytes());
        self.bytes.extend(self.parts.to_le_bytes());
        self.bytes.extend(length.to_le_bytes());
        self.bytes.extend(start.to_le_bytes());
        self.bytes.extend([0, 0]);
        self.bytes
    }
}

/// What the two kinds of header have in common: from the flags to the length of the extra field, minus its last two bytes.
fn header(part: &Part<'_>, crc: u32) -> Vec<u8> {
    let mut header = vec![0, 0];
    header.extend(part.method.to_le_bytes());
    header.extend([0, 0, 0x21, 0]);
    header.extend(crc.to_le_bytes());
    header.extend(u32::try_from(part.data.len()).unwrap().to_le_bytes());
    header.extend(part.declared_size.to_le_bytes());
    header.extend(u16::try_from(part.name.len()).unwrap().to_le_bytes());
    header
}

/// A deflate stream that unpacks to `megabytes` of zeros, one kilobyte for each.
pub(crate) fn deflated_zeros(megabytes: usize) -> Vec<u8> {
    use flate2::{Compress, Compression, FlushCompress};
    let mut block = Vec::with_capacity(64 * 1024);
    Compress::new(Compression::best(), false).compress_vec(&vec![0; 1 << 20], &mut block, FlushCompress::Full).unwrap();
    let mut stream = block.repeat(megabytes);
    // The last, empty block.
    stream.extend([0x03, 0x00]);
    stream
}
