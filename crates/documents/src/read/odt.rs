//! OpenDocument texts.

use super::archive::Archive;
use super::flow::Flow;
use super::office::take_facts;
use super::outline::Outline;
use super::xml::{Token, Xml, decode};
use crate::{Flaw, Format};

const FORMAT: Format = Format::Odt;

pub(crate) fn read(file: &[u8], limit: usize) -> Result<Outline, Flaw> {
    let mut archive = Archive::open(file, FORMAT)?;
    if archive.read("META-INF/manifest.xml")?.is_some_and(|manifest| decode(&manifest).contains("encryption-data")) {
        return Err(Flaw::Encrypted);
    }
    let mut outline = Outline::new(FORMAT, limit);
    if let Some(meta) = archive.read("meta.xml")? {
        take_facts(&meta, &mut outline, FORMAT)?;
    }
    let mut flow = Flow::new(outline);
    read_content(&decode(&archive.require("content.xml")?), &mut flow)?;
    Ok(flow.outline)
}

fn read_content(content: &str, flow: &mut Flow) -> Result<(), Flaw> {
    let mut xml = Xml::new(content, FORMAT);
    let mut text = String::new();
    let mut open_paragraphs = 0_usize;
    let mut heading = None;
    let mut lists = 0_usize;
    while let Some(token) = xml.next()? {
        match token {
            Token::Open(element) => match element.name().as_str() {
                "h" => {
                    open_paragraphs += 1;
                    let level = element.attribute("outline-level").and_then(|level| level.parse().ok());
                    heading = Some(level.unwrap_or(1));
                }
                "p" => open_paragraphs += 1,
                "s" | "tab" => text.push(' '),
                "line-break" => text.push('\n'),
                "list" => lists += 1,
                "table" => flow.open_table(),
                "table-cell" => flow.open_cell(),
                "tracked-changes" | "annotation" | "automatic-styles" | "font-face-decls" => xml.skip()?,
                _ => {}
            },
            Token::Close(name) => match name.as_str() {
                "h" | "p" => {
                    open_paragraphs = open_paragraphs.saturating_sub(1);
                    let text = std::mem::take(&mut text);
                    match heading.take() {
                        None if lists > 0 => flow.item(&format!("- {}", text.trim()))?,
                        heading => flow.paragraph(&text, heading)?,
                    }
                }
                "list" => lists = lists.saturating_sub(1),
                "table-row" => flow.close_row()?,
                "table" => flow.close_table()?,
                _ => {}
            },
            // White space between elements is no text.
            Token::Text(piece) if open_paragraphs > 0 => text.push_str(&piece),
            Token::Text(_) => {}
        }
    }
    Ok(())
}
