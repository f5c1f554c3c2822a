//! Text in pictures, read by programs that the operator may have installed.

mod draw;
mod picture;
mod program;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use omni_supervise::Supervisor;
use tempfile::TempDir;
use tokio::sync::Semaphore;

pub use self::draw::PageDrawer;
use self::draw::{FOR_TESSERACT, draw};
use self::program::{Program, find_program};
use crate::{Format, Section, Unreadable};

/// Page segmentation with detection of orientation, and without.
const WITH_ORIENTATION: &str = "1";
const WITHOUT_ORIENTATION: &str = "3";
/// The data of orientation detection, which tesseract lists among its languages.
const ORIENTATION_DATA: &str = "osd";

/// How pictures are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OcrSettings {
    /// Languages as tesseract calls them (`eng`, `deu`, `chi_sim`), the likeliest first.
    pub languages: Vec<String>,
    /// For one picture or page.
    pub deadline: Duration,
    /// Seconds of processor time for one picture or page.
    pub processor_seconds: u64,
    /// Bytes of address space.
    pub memory: u64,
    /// Pictures at a time; those who come later wait.
    pub children: usize,
    /// Whether the programs step back behind others that want a processor.
    pub background: bool,
    /// Directories to look for the programs in.
    pub search: Vec<PathBuf>,
}

/// English; two minutes and 2 GiB for a page; one page at a time, in the background; programs where systems have them.
impl Default for OcrSettings {
    fn default() -> Self {
        let search = ["/usr/bin", "/usr/local/bin", "/bin", "/opt/homebrew/bin"].map(PathBuf::from);
        Self {
            languages: vec!["eng".to_owned()],
            deadline: Duration::from_secs(120),
            processor_seconds: 100,
            memory: 2 * 1024 * 1024 * 1024,
            children: 1,
            background: true,
            search: search.into(),
        }
    }
}

/// Reads text in pictures with `tesseract`, and draws pages of PDF files with `pdftoppm`.
///
/// The programs run as children with limits and a deadline, an empty environment, a private directory that is removed
/// afterwards, and on Linux without the right to make network connections. Unlike the [`Parser`](crate::Parser)'s worker
/// they can open files that the account of the server may open: they have to find their data.
#[derive(Debug, Clone)]
pub struct Ocr {
    tesseract: Program,
    pdftoppm: Option<Program>,
    languages: String,
    segmentation: &'static str,
    slots: Arc<Semaphore>,
}

impl Ocr {
    /// Looks for the programs and for the data of the languages.
    ///
    /// The launcher of `supervisor` must call [`worker::intercept`](crate::worker::intercept) in `main`.
    ///
    /// # Errors
    /// [`Unreadable::OcrMissing`] says what to install if there is no tesseract, [`Unreadable::OcrLanguage`] if it lacks
    /// a language. `pdftoppm` is missed only when a PDF is to be read.
    pub async fn find(supervisor: &Supervisor, settings: &OcrSettings) -> Result<Self, Unreadable> {
        let program = |name| find_program(supervisor, settings, name);
        let missing = Unreadable::OcrMissing { program: "tesseract", package: "tesseract-ocr" };
        let tesseract = program("tesseract").ok_or(missing)?;
        let installed = tesseract.run(["--list-langs"], &std::env::temp_dir()).await?;
        let installed: Vec<&str> = installed.lines().map(str::trim).collect();
        if let Some(language) = settings.languages.iter().find(|language| !installed.contains(&language.as_str())) {
            return Err(Unreadable::OcrLanguage { language: language.clone() });
        }
        Ok(Self {
            tesseract,
            pdftoppm: program(draw::PROGRAM),
            languages: settings.languages.join("+"),
            segmentation: if installed.contains(&ORIENTATION_DATA) { WITH_ORIENTATION } else { WITHOUT_ORIENTATION },
            slots: Arc::new(Semaphore::new(settings.children.clamp(1, Semaphore::MAX_PERMITS))),
        })
    }

    /// The text in a picture; no section if there is none.
    ///
    /// # Errors
    /// [`Flaw::TooManyPixels`](crate::Flaw::TooManyPixels) and other flaws of the picture, and what can happen to a child.
    pub async fn image(&self, picture: &Path, format: Format) -> Result<Vec<Section>, Unreadable> {
        let path = picture.to_owned();
        picture::check(path, format).await?;
        let picture = tokio::fs::canonicalize(picture).await.map_err(Unreadable::File)?;
        let _slot = self.slots.acquire().await;
        let text = self.recognize(&picture, &private_directory()?).await?;
        Ok(section(&text, None).into_iter().collect())
    }

    /// The text on these pages (1-based) of a PDF, one section for each that has any.
    ///
    /// # Errors
    /// [`Unreadable::OcrMissing`] without `pdftoppm`; the first page that cannot be drawn or read.
    pub async fn pdf_pages(&self, file: &Path, pages: &[u32]) -> Result<Vec<Section>, Unreadable> {
        let pdftoppm = self.pdftoppm.as_ref().ok_or_else(draw::missing)?;
        let file = tokio::fs::canonicalize(file).await.map_err(Unreadable::File)?;
        let mut sections = Vec::new();
        for page in pages {
            let _slot = self.slots.acquire().await;
            let directory = private_directory()?;
            let drawn = draw(pdftoppm, &file, *page, FOR_TESSERACT, &directory).await?;
            picture::check(drawn.clone(), Format::Png).await?;
            sections.extend(section(&self.recognize(&drawn, &directory).await?, Some(*page)));
        }
        Ok(sections)
    }

    async fn recognize(&self, picture: &Path, directory: &TempDir) -> Result<String, Unreadable> {
        let picture = picture.as_os_str();
        let words = ["stdout", "-l", &self.languages, "--psm", self.segmentation].map(Into::into);
        self.tesseract.run([picture.to_owned()].into_iter().chain(words), directory.path()).await
    }
}

fn private_directory() -> Result<TempDir, Unreadable> {
    tempfile::Builder::new().prefix("omni-ocr-").tempdir().map_err(Unreadable::Transfer)
}

fn section(text: &str, page: Option<u32>) -> Option<Section> {
    let text: String = text.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect();
    let text = text.trim();
    (!text.is_empty()).then(|| Section { text: text.to_owned(), page, headings: Vec::new() })
}
