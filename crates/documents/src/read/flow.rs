//! Paragraphs and tables as they follow one another in office documents and web pages.

use super::outline::Outline;
use crate::Flaw;

/// Puts paragraphs into the outline, and those that stand in tables into rows: one line per row, cells parted by ` | `.
pub(crate) struct Flow {
    pub(crate) outline: Outline,
    tables: Vec<Table>,
}

#[derive(Default)]
struct Table {
    row: Vec<String>,
    /// A line of this table has been put out, so the next follows it directly.
    begun: bool,
}

impl Flow {
    pub(crate) fn new(outline: Outline) -> Self {
        Self { outline, tables: Vec::new() }
    }

    /// A paragraph; a heading if it has a level.
    pub(crate) fn paragraph(&mut self, text: &str, heading: Option<u8>) -> Result<(), Flaw> {
        if let Some(table) = self.tables.last_mut() {
            table.write(text);
            return Ok(());
        }
        match heading {
            Some(level) if !text.trim().is_empty() => self.outline.heading(level, text),
            _ => self.outline.block(text),
        }
    }

    /// A line of a list.
    pub(crate) fn item(&mut self, text: &str) -> Result<(), Flaw> {
        match self.tables.last_mut() {
            Some(table) => table.write(text),
            None => self.outline.line(text)?,
        }
        Ok(())
    }

    pub(crate) fn open_table(&mut self) {
        self.tables.push(Table::default());
    }

    pub(crate) fn open_cell(&mut self) {
        if let Some(table) = self.tables.last_mut() {
            table.row.push(String::new());
        }
    }

    pub(crate) fn close_row(&mut self) -> Result<(), Flaw> {
        let Some(table) = self.tables.last_mut() else { return Ok(()) };
        let row = row_line(std::mem::take(&mut table.row));
        if row.is_empty() {
            return Ok(());
        }
        let follows = std::mem::replace(&mut table.begun, true);
        let depth = self.tables.len();
        match depth.checked_sub(2).and_then(|outer| self.tables.get_mut(outer)) {
            Some(outer) => outer.write(&row),
            None if follows => self.outline.line(&row)?,
            None => self.outline.block(&row)?,
        }
        Ok(())
    }

    pub(crate) fn close_table(&mut self) -> Result<(), Flaw> {
        self.close_row()?;
        self.tables.pop();
        Ok(())
    }
}

impl Table {
    fn write(&mut self, text: &str) {
        if self.row.is_empty() {
            self.row.push(String::new());
        }
        if let Some(cell) = self.row.last_mut() {
            if !cell.is_empty() {
                cell.push(' ');
            }
            cell.push_str(text.trim());
        }
    }
}

/// One row as a line: cells parted by ` | `, white space in them made one space, empty ones at the end left out.
pub(crate) fn row_line(mut cells: Vec<String>) -> String {
    for cell in &mut cells {
        if cell.contains(char::is_whitespace) {
            *cell = cell.split_whitespace().collect::<Vec<_>>().join(" ");
        }
    }
    let filled = cells.iter().rposition(|cell| !cell.is_empty()).map_or(0, |last| last + 1);
    cells.truncate(filled);
    cells.join(" | ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Format;

    #[test]
    fn rows_are_lines_and_a_table_in_a_cell_is_part_of_its_row() {
        let mut flow = Flow::new(Outline::new(Format::Docx, 1000));
        flow.paragraph("Before", None).unwrap();
        flow.open_table();
        for row in [["a", "b\nb"], ["c", ""]] {
            for cell in row {
                flow.open_cell();
                flow.paragraph(cell, Some(1)).unwrap();
            }
            flow.close_row().unwrap();
        }
        flow.open_cell();
        flow.open_table();
        flow.open_cell();
        flow.paragraph("inner", None).unwrap();
        flow.close_table().unwrap();
        flow.close_table().unwrap();
        assert_eq!(flow.outline.finish().sections[0].text, "Before\n\na | b b\nc\ninner");
    }
}
