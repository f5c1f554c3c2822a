//! What the header of a picture says of its size, before any program unpacks it.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::PathBuf;

use crate::{Flaw, Format, SNIFFED_BYTES, Unreadable};

/// Pixels in a direction.
const MAX_SIDE: usize = 10_000;
/// Pixels in all.
const MAX_PIXELS: usize = 100_000_000;
/// Steps that finding the size may take. An honest header takes a hundred; a JPEG can be made of millions of segments.
const MAX_STEPS: usize = 20_000;

/// Whether the picture is what it is said to be, and of a size that can be read.
pub(super) async fn check(picture: PathBuf, format: Format) -> Result<(), Unreadable> {
    let check = move || check_file(File::open(picture).map_err(Unreadable::File)?, format);
    // A check that panics met a picture that its library did not expect.
    tokio::task::spawn_blocking(check).await.map_err(|_| Flaw::Damaged { format })?
}

fn check_file(mut file: File, format: Format) -> Result<(), Unreadable> {
    let mut head = Vec::new();
    let most = u64::try_from(SNIFFED_BYTES).unwrap_or(u64::MAX);
    file.by_ref().take(most).read_to_end(&mut head).map_err(Unreadable::File)?;
    file.rewind().map_err(Unreadable::File)?;
    Format::check(&head, Some(format))?;
    Ok(check_size(Stepping { inner: BufReader::new(file), steps: 0 }, format)?)
}

fn check_size(picture: impl BufRead + Seek, format: Format) -> Result<(), Flaw> {
    let size = imagesize::reader_size(picture).map_err(|_| Flaw::Damaged { format })?;
    let fits =
        size.width <= MAX_SIDE && size.height <= MAX_SIDE && size.width.saturating_mul(size.height) <= MAX_PIXELS;
    if fits { Ok(()) } else { Err(Flaw::TooManyPixels) }
}

/// A reader that is exhausted after so many steps.
struct Stepping<R> {
    inner: R,
    steps: usize,
}

impl<R> Stepping<R> {
    fn step(&mut self) -> io::Result<()> {
        self.steps += 1;
        if self.steps > MAX_STEPS { Err(io::Error::other("too many steps")) } else { Ok(()) }
    }
}

impl<R: Read> Read for Stepping<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.step()?;
        self.inner.read(buffer)
    }
}

impl<R: BufRead> BufRead for Stepping<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.step()?;
        self.inner.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.inner.consume(amount);
    }
}

impl<R: Seek> Seek for Stepping<R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.step()?;
        self.inner.seek(to)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn png(width: u32, height: u32) -> Vec<u8> {
        let mut header = b"\x89PNG\r\n\x1A\n\0\0\0\rIHDR".to_vec();
        header.extend(width.to_be_bytes());
        header.extend(height.to_be_bytes());
        header.extend([8, 2, 0, 0, 0]);
        header
    }

    #[test]
    fn size_is_read_from_the_header_and_bounded() {
        assert_eq!(check_size(Cursor::new(png(10_000, 10_000)), Format::Png), Ok(()));
        assert_eq!(check_size(Cursor::new(png(10_001, 1)), Format::Png), Err(Flaw::TooManyPixels));
        assert_eq!(check_size(Cursor::new(png(30_000, 30_000)), Format::Png), Err(Flaw::TooManyPixels));
        assert_eq!(
            check_size(Cursor::new(b"\xFF\xD8\xFF".to_vec()), Format::Jpeg),
            Err(Flaw::Damaged { format: Format::Jpeg })
        );
    }

    #[test]
    fn a_picture_of_endless_segments_is_given_up() {
        let mut jpeg = b"\xFF\xD8".to_vec();
        jpeg.extend(b"\xFF\xE1\0\x02".repeat(1_000_000));
        let flaw = check_size(Stepping { inner: Cursor::new(jpeg), steps: 0 }, Format::Jpeg);
        assert_eq!(flaw, Err(Flaw::Damaged { format: Format::Jpeg }));
    }
}
