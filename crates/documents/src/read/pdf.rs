//! PDF files, page by page.

use std::cell::RefCell;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

use lopdf::{Document, Object};
use pdf_extract::{ConvertToFmt, MediaBox, OutputDev, OutputError, PlainTextOutput, Transform};

use super::outline::Outline;
use super::{MAX_PAGES, page_number};
use crate::{Flaw, Format};

const FORMAT: Format = Format::Pdf;

pub(crate) fn read(file: &[u8], limit: usize) -> Result<Outline, Flaw> {
    let document = load(file)?;
    let count = document.page_iter().take(MAX_PAGES + 1).count();
    if count > MAX_PAGES {
        return Err(Flaw::TooManyPages { limit: MAX_PAGES });
    }
    if count == 0 {
        return Err(Flaw::Damaged { format: FORMAT });
    }
    let pages = read_pages(&document, count, limit)?;
    let mut outline = Outline::new(FORMAT, limit);
    outline.facts().title = fact(&document, b"Title");
    outline.facts().author = fact(&document, b"Author");
    outline.facts().pages = Some(page_number(count));
    for (n, text) in pages.iter().enumerate() {
        let number = page_number(n + 1);
        outline.page(number);
        outline.block(&tidy(text))?;
        if outline.section_is_empty() {
            outline.facts().pages_without_text.push(number);
        }
    }
    Ok(outline)
}

fn load(file: &[u8]) -> Result<Document, Flaw> {
    let mut document = Document::load_mem(file).map_err(|error| match error {
        lopdf::Error::Decryption(_) | lopdf::Error::InvalidPassword | lopdf::Error::UnsupportedSecurityHandler(_) => {
            Flaw::Encrypted
        }
        _ => Flaw::Damaged { format: FORMAT },
    })?;
    // Many files are encrypted without a password: whoever made them only forbade printing.
    if document.is_encrypted() {
        document.decrypt("").map_err(|_| Flaw::Encrypted)?;
    }
    Ok(document)
}

/// The text of each page; none for pages that cannot be read. They go the way of scanned pages: to OCR.
fn read_pages(document: &Document, count: usize, limit: usize) -> Result<Vec<String>, Flaw> {
    let mut pages = Pages::new(limit);
    let mut outcome = attempt(|| pdf_extract::output_doc(document, &mut pages));
    let mut unreadable = 0;
    while pages.done.len() < count {
        if pages.sheet.overflown() {
            return Err(Flaw::TooMuchText { limit });
        }
        if outcome.is_none() {
            unreadable += 1;
            pages.give_up();
        }
        let next = page_number(pages.done.len() + 1);
        if pages.done.len() < count {
            outcome = attempt(|| pdf_extract::output_doc_page(document, &mut pages, next));
        }
    }
    if unreadable == count { Err(Flaw::Damaged { format: FORMAT }) } else { Ok(pages.done) }
}

/// The library panics on much that it does not expect; that is the end of a page, not of the file.
fn attempt(work: impl FnOnce() -> Result<(), OutputError>) -> Option<()> {
    catch_unwind(AssertUnwindSafe(work)).ok()?.ok()
}

/// Writes every page onto a sheet of its own.
struct Pages {
    writer: PlainTextOutput<Sheet>,
    sheet: Sheet,
    done: Vec<String>,
}

impl Pages {
    fn new(limit: usize) -> Self {
        let sheet = Sheet(Rc::new(RefCell::new(Writing { text: String::new(), left: limit })));
        Self { writer: PlainTextOutput::new(sheet.clone()), sheet, done: Vec::new() }
    }

    /// Leaves the page that was begun without text.
    fn give_up(&mut self) {
        self.sheet.take();
        self.writer = PlainTextOutput::new(self.sheet.clone());
        self.done.push(String::new());
    }
}

impl OutputDev for Pages {
    fn begin_page(
        &mut self,
        page: u32,
        media_box: &MediaBox,
        art_box: Option<(f64, f64, f64, f64)>,
    ) -> Result<(), OutputError> {
        self.writer.begin_page(page, media_box, art_box)
    }

    fn end_page(&mut self) -> Result<(), OutputError> {
        self.writer.end_page()?;
        self.done.push(self.sheet.take());
        Ok(())
    }

    fn output_character(
        &mut self,
        place: &Transform,
        width: f64,
        spacing: f64,
        font_size: f64,
        character: &str,
    ) -> Result<(), OutputError> {
        self.writer.output_character(place, width, spacing, font_size, character)
    }

    fn begin_word(&mut self) -> Result<(), OutputError> {
        self.writer.begin_word()
    }

    fn end_word(&mut self) -> Result<(), OutputError> {
        self.writer.end_word()
    }

    fn end_line(&mut self) -> Result<(), OutputError> {
        self.writer.end_line()
    }
}

/// Where the library writes; it keeps one end, we read the other.
#[derive(Clone)]
struct Sheet(Rc<RefCell<Writing>>);

struct Writing {
    text: String,
    /// Bytes that all pages together may still take.
    left: usize,
}

impl Sheet {
    fn take(&self) -> String {
        std::mem::take(&mut self.0.borrow_mut().text)
    }

    fn overflown(&self) -> bool {
        self.0.borrow().left == 0
    }
}

impl fmt::Write for Sheet {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut writing = self.0.borrow_mut();
        writing.left = writing.left.saturating_sub(text.len());
        if writing.left == 0 {
            return Err(fmt::Error);
        }
        writing.text.push_str(text);
        Ok(())
    }
}

impl ConvertToFmt for Sheet {
    type Writer = Self;

    fn convert(self) -> Self {
        self
    }
}

/// An entry of the information dictionary.
fn fact(document: &Document, key: &[u8]) -> Option<String> {
    let information = document.trailer.get(b"Info").ok()?;
    let (_, information) = document.dereference(information).ok()?;
    let (_, value) = document.dereference(information.as_dict().ok()?.get(key).ok()?).ok()?;
    match value {
        Object::String(..) => lopdf::decode_text_string(value).ok(),
        _ => None,
    }
}

/// Lines without white space at their ends, and at most one empty line between them.
fn tidy(text: &str) -> String {
    let mut tidy = String::with_capacity(text.len());
    let mut empty = 0;
    for line in text.lines().map(str::trim) {
        if line.is_empty() {
            empty += 1;
            continue;
        }
        if !tidy.is_empty() {
            tidy.push_str(if empty > 0 { "\n\n" } else { "\n" });
        }
        empty = 0;
        tidy.push_str(line);
    }
    tidy
}
