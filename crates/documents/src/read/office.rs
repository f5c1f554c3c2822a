//! What the formats of Office share: properties and relationships.

use std::collections::HashMap;

use super::archive::Archive;
use super::outline::Outline;
use super::xml::{Token, Xml, decode, first_texts};
use crate::{Flaw, Format};

/// Title, author and language, as the document says.
pub(crate) fn read_properties(archive: &mut Archive<'_>, outline: &mut Outline, format: Format) -> Result<(), Flaw> {
    if let Some(core) = archive.read("docProps/core.xml")? {
        take_facts(&core, outline, format)?;
    }
    Ok(())
}

/// The Dublin Core elements of any part.
pub(crate) fn take_facts(bytes: &[u8], outline: &mut Outline, format: Format) -> Result<(), Flaw> {
    let mut found = first_texts(bytes, &["title", "creator", "language"], format)?;
    let facts = outline.facts();
    facts.title = found.remove("title");
    facts.author = found.remove("creator");
    facts.language = found.remove("language");
    Ok(())
}

/// Where the relationships of a part lead, by their ids.
pub(crate) fn relationships(bytes: &[u8], format: Format) -> Result<HashMap<String, String>, Flaw> {
    let text = decode(bytes);
    let mut xml = Xml::new(&text, format);
    let mut targets = HashMap::new();
    while let Some(token) = xml.next()? {
        if let Token::Open(element) = token
            && let (Some(id), Some(target)) = (element.attribute("Id"), element.attribute("Target"))
        {
            targets.insert(id, target);
        }
    }
    Ok(targets)
}

/// The name of the part that `target` means, written in a part of `folder`.
pub(crate) fn part_name(folder: &str, target: &str) -> String {
    let joined = match target.strip_prefix('/') {
        Some(absolute) => absolute.to_owned(),
        None => format!("{folder}/{target}"),
    };
    let mut steps: Vec<&str> = Vec::new();
    for step in joined.split('/') {
        match step {
            "" | "." => {}
            ".." => {
                steps.pop();
            }
            step => steps.push(step),
        }
    }
    steps.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_resolved_inside_of_the_container() {
        assert_eq!(part_name("ppt", "slides/slide1.xml"), "ppt/slides/slide1.xml");
        assert_eq!(part_name("ppt/slides", "../media/a.png"), "ppt/media/a.png");
        assert_eq!(part_name("ppt", "/ppt/x.xml"), "ppt/x.xml");
        assert_eq!(part_name("ppt", "../../../etc/passwd"), "etc/passwd");
    }
}
