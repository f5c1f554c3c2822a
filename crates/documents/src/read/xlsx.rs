//! Excel workbooks: one page per sheet, one line per row.

use std::io::Cursor;

use calamine::{DataRef, ExcelDateTime, Reader, Xlsx, XlsxError};

use super::archive::Archive;
use super::flow::row_line;
use super::office::read_properties;
use super::outline::Outline;
use super::{MAX_CELLS, MAX_PAGES, page_number};
use crate::{Flaw, Format};

const FORMAT: Format = Format::Xlsx;
/// The most empty cells in a row that keep their place: columns of a table stay columns, and a lone cell far to the right
/// does not fill the text with nothing.
const MAX_GAP: usize = 16;

pub(crate) fn read(file: &[u8], limit: usize) -> Result<Outline, Flaw> {
    let mut archive = Archive::open(file, FORMAT)?;
    archive.vet()?;
    let mut outline = Outline::new(FORMAT, limit);
    read_properties(&mut archive, &mut outline, FORMAT)?;
    let mut workbook: Xlsx<_> = Xlsx::new(Cursor::new(file)).map_err(|error| flaw_of(&error))?;
    let sheets = workbook.sheet_names();
    if sheets.len() > MAX_PAGES {
        return Err(Flaw::TooManyPages { limit: MAX_PAGES });
    }
    outline.facts().pages = Some(page_number(sheets.len()));
    let mut cells = 0;
    for (n, sheet) in sheets.iter().enumerate() {
        outline.page(page_number(n + 1));
        outline.label(1, sheet);
        read_sheet(&mut workbook, sheet, &mut cells, &mut outline)?;
    }
    Ok(outline)
}

/// Reads cell after cell: a sheet as a whole would be a rectangle, and two cells can make that as large as they like.
fn read_sheet(
    workbook: &mut Xlsx<Cursor<&[u8]>>,
    sheet: &str,
    cells: &mut usize,
    outline: &mut Outline,
) -> Result<(), Flaw> {
    let mut reader = match workbook.worksheet_cells_reader(sheet) {
        Ok(reader) => reader,
        // A sheet that is a chart or a macro has no cells.
        Err(XlsxError::NotAWorksheet(_)) => return Ok(()),
        Err(error) => return Err(flaw_of(&error)),
    };
    let mut row = Row::default();
    while let Some(cell) = reader.next_cell().map_err(|error| flaw_of(&error))? {
        *cells += 1;
        if *cells > MAX_CELLS {
            return Err(Flaw::TooManyCells { limit: MAX_CELLS });
        }
        let (number, column) = cell.get_position();
        if number != row.number {
            row.end(outline)?;
            row.number = number;
        }
        row.put(column, shown(cell.get_value()));
    }
    row.end(outline)
}

#[derive(Default)]
struct Row {
    number: u32,
    next_column: u32,
    cells: Vec<String>,
}

impl Row {
    fn put(&mut self, column: u32, value: String) {
        if value.is_empty() {
            return;
        }
        let gap = usize::try_from(column.saturating_sub(self.next_column)).unwrap_or(usize::MAX).min(MAX_GAP);
        self.cells.extend(std::iter::repeat_n(String::new(), gap));
        self.cells.push(value);
        self.next_column = column.saturating_add(1);
    }

    fn end(&mut self, outline: &mut Outline) -> Result<(), Flaw> {
        self.next_column = 0;
        outline.line(&row_line(std::mem::take(&mut self.cells)))
    }
}

fn shown(value: &DataRef<'_>) -> String {
    match value {
        DataRef::Int(number) => number.to_string(),
        DataRef::Float(number) => number.to_string(),
        DataRef::String(text) | DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => text.clone(),
        DataRef::SharedString(text) => (*text).to_owned(),
        DataRef::Bool(truth) => truth.to_string(),
        DataRef::DateTime(moment) => shown_moment(moment),
        DataRef::Error(error) => error.to_string(),
        DataRef::Empty => String::new(),
    }
}

/// A date without a time of day is written without one.
fn shown_moment(moment: &ExcelDateTime) -> String {
    if !moment.is_datetime() {
        return moment.to_string();
    }
    let (year, month, day, hour, minute, second, _) = moment.to_ymd_hms_milli();
    match (hour, minute, second) {
        (0, 0, 0) => format!("{year:04}-{month:02}-{day:02}"),
        _ => format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}"),
    }
}

fn flaw_of(error: &XlsxError) -> Flaw {
    match error {
        XlsxError::Password => Flaw::Encrypted,
        _ => Flaw::Damaged { format: FORMAT },
    }
}
