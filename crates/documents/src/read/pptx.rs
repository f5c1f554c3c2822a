//! PowerPoint presentations: one page per slide, its title as its heading.

use super::archive::Archive;
use super::flow::Flow;
use super::office::{part_name, read_properties, relationships};
use super::outline::Outline;
use super::xml::{Token, Xml, decode};
use super::{MAX_PAGES, page_number};
use crate::{Flaw, Format};

const FORMAT: Format = Format::Pptx;

pub(crate) fn read(file: &[u8], limit: usize) -> Result<Outline, Flaw> {
    let mut archive = Archive::open(file, FORMAT)?;
    let mut outline = Outline::new(FORMAT, limit);
    read_properties(&mut archive, &mut outline, FORMAT)?;
    let targets = relationships(&archive.require("ppt/_rels/presentation.xml.rels")?, FORMAT)?;
    let slides = slide_ids(&decode(&archive.require("ppt/presentation.xml")?))?;
    if slides.len() > MAX_PAGES {
        return Err(Flaw::TooManyPages { limit: MAX_PAGES });
    }
    outline.facts().pages = Some(page_number(slides.len()));
    let mut flow = Flow::new(outline);
    for (n, id) in slides.iter().enumerate() {
        let target = targets.get(id).ok_or(Flaw::Damaged { format: FORMAT })?;
        flow.outline.page(page_number(n + 1));
        read_slide(&decode(&archive.require(&part_name("ppt", target))?), &mut flow)?;
    }
    Ok(flow.outline)
}

/// The slides in the order in which they are shown.
fn slide_ids(presentation: &str) -> Result<Vec<String>, Flaw> {
    let mut xml = Xml::new(presentation, FORMAT);
    let mut ids = Vec::new();
    while let Some(token) = xml.next()? {
        if let Token::Open(element) = token
            && element.name() == "sldId"
        {
            // It has an `id` of its own too; the one with a prefix is the relationship's.
            ids.extend(element.prefixed_attribute("id"));
        }
    }
    Ok(ids)
}

fn read_slide(slide: &str, flow: &mut Flow) -> Result<(), Flaw> {
    let mut xml = Xml::new(slide, FORMAT);
    let mut paragraph = String::new();
    let mut is_title = false;
    while let Some(token) = xml.next()? {
        match token {
            Token::Open(element) => match element.name().as_str() {
                "sp" => is_title = false,
                "ph" => is_title = matches!(element.attribute("type").as_deref(), Some("title" | "ctrTitle")),
                "t" => paragraph.push_str(&xml.text()?),
                "br" => paragraph.push('\n'),
                "tbl" => flow.open_table(),
                "tc" => flow.open_cell(),
                "Fallback" => xml.skip()?,
                _ => {}
            },
            Token::Close(name) => match name.as_str() {
                "p" => {
                    let text = std::mem::take(&mut paragraph);
                    match is_title {
                        true => flow.paragraph(&text.replace('\n', " "), Some(1))?,
                        false => flow.item(&text)?,
                    }
                }
                "tr" => flow.close_row()?,
                "tbl" => flow.close_table()?,
                _ => {}
            },
            Token::Text(_) => {}
        }
    }
    Ok(())
}
