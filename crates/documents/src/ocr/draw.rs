//! Pages of PDF files as pictures.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use omni_supervise::Supervisor;
use tempfile::TempDir;
use tokio::sync::Semaphore;

use super::program::{Program, find_program};
use super::{OcrSettings, picture, private_directory};
use crate::{Format, Unreadable};

pub(super) const PROGRAM: &str = "pdftoppm";

/// How a page is drawn. The longest side is in dots, whatever the page says: a PDF may say that it is a kilometre wide.
pub(super) const FOR_TESSERACT: &[&str] = &["-gray", "-r", "300", "-scale-to", "5000"];
/// In colours, which may tell something, and no larger than models look at.
const FOR_A_MODEL: &[&str] = &["-scale-to", "2000"];

/// Draws pages of PDF files with `pdftoppm`, for whoever reads pictures but no PDF files. The program runs as those of
/// [`Ocr`](crate::Ocr) do.
#[derive(Debug, Clone)]
pub struct PageDrawer {
    pdftoppm: Program,
    slots: Arc<Semaphore>,
}

impl PageDrawer {
    /// Looks for the program.
    ///
    /// # Errors
    /// [`Unreadable::OcrMissing`] says what to install.
    pub fn find(supervisor: &Supervisor, settings: &OcrSettings) -> Result<Self, Unreadable> {
        let pdftoppm = find_program(supervisor, settings, PROGRAM).ok_or_else(missing)?;
        Ok(Self { pdftoppm, slots: Arc::new(Semaphore::new(settings.children.clamp(1, Semaphore::MAX_PERMITS))) })
    }

    /// What there is to say where it is not found.
    #[must_use]
    pub fn missing() -> Unreadable {
        missing()
    }

    /// A page (from 1) as a PNG.
    ///
    /// # Errors
    /// [`Unreadable::OcrFailed`] if there is no such page, and what can happen to a child.
    pub async fn png(&self, file: &Path, page: u32) -> Result<Vec<u8>, Unreadable> {
        let file = tokio::fs::canonicalize(file).await.map_err(Unreadable::File)?;
        let _slot = self.slots.acquire().await;
        let directory = private_directory()?;
        let drawn = draw(&self.pdftoppm, &file, page, FOR_A_MODEL, &directory).await?;
        picture::check(drawn.clone(), Format::Png).await?;
        tokio::fs::read(drawn).await.map_err(Unreadable::Transfer)
    }
}

pub(super) fn missing() -> Unreadable {
    Unreadable::OcrMissing { program: PROGRAM, package: "poppler-utils" }
}

/// Draws one page; its file is in the directory.
pub(super) async fn draw(
    pdftoppm: &Program,
    file: &Path,
    page: u32,
    manner: &[&str],
    directory: &TempDir,
) -> Result<PathBuf, Unreadable> {
    let page = page.to_string();
    let root = directory.path().join("page");
    let words = ["-png", "-singlefile", "-f", &page, "-l", &page];
    let words = words.iter().chain(manner).map(Into::into);
    pdftoppm.run(words.chain([file.as_os_str().to_owned(), root.clone().into_os_string()]), directory.path()).await?;
    let drawn = root.with_extension("png");
    // A page that does not exist is drawn as nothing, without an error.
    if tokio::fs::try_exists(&drawn).await.map_err(Unreadable::Transfer)? {
        Ok(drawn)
    } else {
        Err(Unreadable::OcrFailed)
    }
}
