//! Electronic books: the chapters in reading order, each a web page.

use std::collections::HashMap;

use percent_encoding::percent_decode_str;

use super::archive::Archive;
use super::flow::Flow;
use super::html;
use super::office::{part_name, take_facts};
use super::outline::Outline;
use super::xml::{Token, Xml, decode};
use crate::{Flaw, Format};

const FORMAT: Format = Format::Epub;
/// Bookshops encrypt chapters with this; what only hides fonts uses other names.
const ENCRYPTED_CONTENT: &str = "http://www.w3.org/2001/04/xmlenc#aes";

pub(crate) fn read(file: &[u8], limit: usize) -> Result<Outline, Flaw> {
    let mut archive = Archive::open(file, FORMAT)?;
    if archive.read("META-INF/encryption.xml")?.is_some_and(|part| decode(&part).contains(ENCRYPTED_CONTENT)) {
        return Err(Flaw::Encrypted);
    }
    let package_name = package_name(&decode(&archive.require("META-INF/container.xml")?))?;
    let package = archive.require(&package_name)?;
    let mut outline = Outline::new(FORMAT, limit);
    take_facts(&package, &mut outline, FORMAT)?;
    let folder = package_name.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut flow = Flow::new(outline);
    for chapter in chapters(&decode(&package))? {
        let name = part_name(folder, &percent_decode_str(&chapter).decode_utf8_lossy());
        // A chapter that is listed and missing costs the reader that chapter, not the book.
        if let Some(chapter) = archive.read(&name)? {
            html::read_into(&html::decode(&chapter, None), &mut flow)?;
        }
    }
    Ok(flow.outline)
}

fn package_name(container: &str) -> Result<String, Flaw> {
    let mut xml = Xml::new(container, FORMAT);
    while let Some(token) = xml.next()? {
        if let Token::Open(element) = token
            && element.name() == "rootfile"
            && let Some(path) = element.attribute("full-path")
        {
            return Ok(path);
        }
    }
    Err(Flaw::Damaged { format: FORMAT })
}

/// The files of the chapters, in reading order.
fn chapters(package: &str) -> Result<Vec<String>, Flaw> {
    let mut xml = Xml::new(package, FORMAT);
    let mut files = HashMap::new();
    let mut order = Vec::new();
    while let Some(token) = xml.next()? {
        let Token::Open(element) = token else { continue };
        match element.name().as_str() {
            "item" => {
                if let (Some(id), Some(file)) = (element.attribute("id"), element.attribute("href")) {
                    files.insert(id, file);
                }
            }
            "itemref" => order.extend(element.attribute("idref")),
            _ => {}
        }
    }
    // Each once: a spine that repeats a chapter a million times is not a book.
    Ok(order.into_iter().filter_map(|id| files.remove(&id)).collect())
}
