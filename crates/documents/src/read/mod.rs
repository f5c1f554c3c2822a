//! One reader per format. All of this runs in the [worker](crate::worker), confined.

mod archive;
mod docx;
mod email;
mod encoding;
mod epub;
mod flow;
mod html;
mod odt;
mod office;
mod outline;
mod pdf;
mod pptx;
mod text;
mod xlsx;
mod xml;

use crate::worker::Job;
use crate::{Extract, Flaw, Format};

/// The most pages, slides or sheets.
const MAX_PAGES: usize = 5_000;
/// The most cells of a table.
const MAX_CELLS: usize = 1_000_000;

/// Reads a file as what the job says it is.
pub(crate) fn read(file: &[u8], job: &Job) -> Result<Extract, Flaw> {
    let limit = job.text_limit;
    let outline = match job.format {
        Format::Pdf => pdf::read(file, limit)?,
        Format::Docx => docx::read(file, limit)?,
        Format::Pptx => pptx::read(file, limit)?,
        Format::Xlsx => xlsx::read(file, limit)?,
        Format::Odt => odt::read(file, limit)?,
        Format::Epub => epub::read(file, limit)?,
        Format::Html => html::read(file, job)?,
        Format::Markdown => text::read_markdown(file, job)?,
        Format::Text => text::read_plain(file, job)?,
        Format::Csv => text::read_csv(file, job)?,
        Format::Json => text::read_json(file, job)?,
        Format::Email => email::read(file, job)?,
        picture @ (Format::Png | Format::Jpeg | Format::Tiff | Format::Webp | Format::Gif | Format::Bmp) => {
            return Err(Flaw::Picture { format: picture });
        }
    };
    // A scanned PDF is not without text; it only takes OCR to read it.
    if !outline.has_text() && job.format != Format::Pdf {
        return Err(Flaw::NoText);
    }
    Ok(outline.finish())
}

fn page_number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
