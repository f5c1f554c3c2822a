//! The parts of a file that is a ZIP container, without ever trusting what its headers say of sizes.

use std::io::{Cursor, Read};

use zip::ZipArchive;
use zip::result::ZipError;

use crate::{Flaw, Format};

/// The most parts of a container.
pub(crate) const MAX_PARTS: usize = 10_000;
/// The most bytes that all parts that are read may unpack to, together.
pub(crate) const MAX_UNPACKED: u64 = 200_000_000;
/// How many times its own size a file may unpack to.
pub(crate) const MAX_RATIO: u64 = 200;
/// What a file may unpack to however small it is: style sheets of office documents compress very well.
const ALWAYS_UNPACKED: u64 = 2_000_000;

/// The record at the end of an archive, and where in it the number of parts stands.
const END_RECORD: &[u8] = b"PK\x05\x06";
const END_RECORD_PARTS: std::ops::Range<usize> = 10..12;
/// The end record and the longest comment behind it.
const END_SEARCHED: usize = 22 + 65_535;

pub(crate) struct Archive<'f> {
    zip: ZipArchive<Cursor<&'f [u8]>>,
    meter: Meter,
}

impl<'f> Archive<'f> {
    pub(crate) fn open(file: &'f [u8], format: Format) -> Result<Self, Flaw> {
        let too_many = Flaw::TooManyParts { limit: MAX_PARTS };
        // Before the directory is read, since that takes memory for each part.
        if declared_parts(file).is_some_and(|parts| parts > MAX_PARTS) {
            return Err(too_many);
        }
        let zip = ZipArchive::new(Cursor::new(file)).map_err(|error| flaw_of(&error, format))?;
        if zip.len() > MAX_PARTS {
            return Err(too_many);
        }
        let size = u64::try_from(file.len()).unwrap_or(u64::MAX);
        let ratio_limit = size.saturating_mul(MAX_RATIO).max(ALWAYS_UNPACKED);
        Ok(Self { zip, meter: Meter { format, ratio_limit, unpacked: 0 } })
    }

    /// One part, unpacked; `None` if there is none of this name.
    pub(crate) fn read(&mut self, name: &str) -> Result<Option<Vec<u8>>, Flaw> {
        let mut bytes = Vec::new();
        match self.zip.by_name(name) {
            Ok(part) => self.meter.unpack(part, |piece| bytes.extend_from_slice(piece))?,
            Err(ZipError::FileNotFound) => return Ok(None),
            Err(error) => return Err(flaw_of(&error, self.meter.format)),
        }
        Ok(Some(bytes))
    }

    /// A part without which the file is not what it should be.
    pub(crate) fn require(&mut self, name: &str) -> Result<Vec<u8>, Flaw> {
        self.read(name)?.ok_or(Flaw::Damaged { format: self.meter.format })
    }

    /// Unpacks every part into nothing, so that a library that knows no bounds may do it again.
    pub(crate) fn vet(&mut self) -> Result<(), Flaw> {
        for n in 0..self.zip.len() {
            let part = self.zip.by_index(n).map_err(|error| flaw_of(&error, self.meter.format))?;
            self.meter.unpack(part, |_| ())?;
        }
        Ok(())
    }
}

/// Counts what comes out of the container.
struct Meter {
    format: Format,
    ratio_limit: u64,
    unpacked: u64,
}

impl Meter {
    fn unpack(&mut self, mut part: impl Read, mut take: impl FnMut(&[u8])) -> Result<(), Flaw> {
        let mut piece = vec![0; 64 * 1024];
        loop {
            let read = part.read(&mut piece).map_err(|_| Flaw::Damaged { format: self.format })?;
            if read == 0 {
                return Ok(());
            }
            self.unpacked += u64::try_from(read).unwrap_or(u64::MAX);
            if self.unpacked > MAX_UNPACKED {
                return Err(Flaw::Unpacks { limit: MAX_UNPACKED });
            }
            if self.unpacked > self.ratio_limit {
                return Err(Flaw::UnpacksTimes { limit: MAX_RATIO });
            }
            take(piece.get(..read).unwrap_or_default());
        }
    }
}

/// What the end of the archive says of the number of parts; 65 535 if it is larger than fits there.
fn declared_parts(file: &[u8]) -> Option<usize> {
    let tail = file.get(file.len().saturating_sub(END_SEARCHED)..)?;
    let at = tail.windows(END_RECORD.len()).rposition(|window| window == END_RECORD)?;
    let count: [u8; 2] = tail.get(at..)?.get(END_RECORD_PARTS)?.try_into().ok()?;
    Some(usize::from(u16::from_le_bytes(count)))
}

fn flaw_of(error: &ZipError, format: Format) -> Flaw {
    match error {
        ZipError::UnsupportedArchive(ZipError::PASSWORD_REQUIRED) | ZipError::InvalidPassword => Flaw::Encrypted,
        _ => Flaw::Damaged { format },
    }
}
