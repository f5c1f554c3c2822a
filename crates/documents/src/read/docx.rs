//! Word documents.

use std::collections::HashMap;

use super::archive::Archive;
use super::flow::Flow;
use super::office::read_properties;
use super::outline::Outline;
use super::xml::{Element, Token, Xml, decode};
use crate::{Flaw, Format};

const FORMAT: Format = Format::Docx;

pub(crate) fn read(file: &[u8], limit: usize) -> Result<Outline, Flaw> {
    let mut archive = Archive::open(file, FORMAT)?;
    let mut outline = Outline::new(FORMAT, limit);
    read_properties(&mut archive, &mut outline, FORMAT)?;
    let headings = match archive.read("word/styles.xml")? {
        Some(styles) => heading_styles(&decode(&styles))?,
        None => HashMap::new(),
    };
    let mut flow = Flow::new(outline);
    let document = decode(&archive.require("word/document.xml")?);
    Body::new(&mut flow, &headings).read(&document)?;
    for notes in ["word/footnotes.xml", "word/endnotes.xml"] {
        if let Some(notes) = archive.read(notes)? {
            Body::new(&mut flow, &headings).read(&decode(&notes))?;
        }
    }
    Ok(flow.outline)
}

/// Which styles are headings, and of which level.
fn heading_styles(styles: &str) -> Result<HashMap<String, u8>, Flaw> {
    let mut xml = Xml::new(styles, FORMAT);
    let mut levels = HashMap::new();
    let mut style = None;
    while let Some(token) = xml.next()? {
        let Token::Open(element) = token else { continue };
        match element.name().as_str() {
            "style" => style = element.attribute("styleId"),
            "name" => {
                let name = element.attribute("val").unwrap_or_default().to_lowercase();
                let level = if name == "title" { Some(1) } else { name.strip_prefix("heading ").and_then(level_of) };
                if let (Some(style), Some(level)) = (&style, level) {
                    levels.insert(style.clone(), level);
                }
            }
            "outlineLvl" => {
                if let (Some(style), Some(level)) = (&style, outline_level(&element)) {
                    levels.entry(style.clone()).or_insert(level);
                }
            }
            _ => {}
        }
    }
    Ok(levels)
}

fn level_of(digits: &str) -> Option<u8> {
    digits.trim().parse().ok().filter(|level| (1..=9).contains(level))
}

/// Levels are counted from zero there, and nine means none.
fn outline_level(element: &Element<'_>) -> Option<u8> {
    let level: u8 = element.attribute("val")?.parse().ok()?;
    (level < 9).then_some(level + 1)
}

struct Body<'b> {
    flow: &'b mut Flow,
    headings: &'b HashMap<String, u8>,
    /// Paragraphs that are open: a text box is a paragraph in a paragraph.
    paragraphs: Vec<Paragraph>,
}

#[derive(Default)]
struct Paragraph {
    text: String,
    heading: Option<u8>,
    listed: bool,
}

impl<'b> Body<'b> {
    fn new(flow: &'b mut Flow, headings: &'b HashMap<String, u8>) -> Self {
        Self { flow, headings, paragraphs: Vec::new() }
    }

    fn read(mut self, document: &str) -> Result<(), Flaw> {
        let mut xml = Xml::new(document, FORMAT);
        while let Some(token) = xml.next()? {
            match token {
                Token::Open(element) => self.open(&element, &mut xml)?,
                Token::Close(name) => self.close(&name)?,
                Token::Text(_) => {}
            }
        }
        Ok(())
    }

    fn open(&mut self, element: &Element<'_>, xml: &mut Xml<'_>) -> Result<(), Flaw> {
        match element.name().as_str() {
            "p" => self.paragraphs.push(Paragraph::default()),
            "t" => {
                let text = xml.text()?;
                self.write(&text);
            }
            "tab" => self.write(" "),
            "br" | "cr" => self.write("\n"),
            "noBreakHyphen" => self.write("-"),
            "pStyle" => {
                let style = element.attribute("val").unwrap_or_default();
                self.mark(|paragraph, headings| paragraph.heading = headings.get(&style).copied());
            }
            "outlineLvl" => {
                let level = outline_level(element);
                self.mark(|paragraph, _| paragraph.heading = paragraph.heading.or(level));
            }
            "numPr" => self.mark(|paragraph, _| paragraph.listed = true),
            "tbl" => self.flow.open_table(),
            "tc" => self.flow.open_cell(),
            // The same content once more, for older programs; and positions of tabulators, which look like tabs.
            "Fallback" | "tabs" => xml.skip()?,
            _ => {}
        }
        Ok(())
    }

    fn close(&mut self, name: &str) -> Result<(), Flaw> {
        match name {
            "p" => match self.paragraphs.pop() {
                Some(Paragraph { text, listed: true, heading: None }) => self.flow.item(&format!("- {}", text.trim())),
                Some(Paragraph { text, heading, .. }) => self.flow.paragraph(&text, heading),
                None => Ok(()),
            },
            "tr" => self.flow.close_row(),
            "tbl" => self.flow.close_table(),
            _ => Ok(()),
        }
    }

    fn write(&mut self, text: &str) {
        if let Some(paragraph) = self.paragraphs.last_mut() {
            paragraph.text.push_str(text);
        }
    }

    fn mark(&mut self, change: impl FnOnce(&mut Paragraph, &HashMap<String, u8>)) {
        if let Some(paragraph) = self.paragraphs.last_mut() {
            change(paragraph, self.headings);
        }
    }
}
