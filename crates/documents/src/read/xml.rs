//! XML without entities, document types and bottomless nesting.

use std::borrow::Cow;
use std::collections::HashMap;

use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::name::QName;
use quick_xml::{Reader, XmlVersion};

use super::encoding;
use crate::{Flaw, Format};

/// The most elements that may be open at once.
pub(crate) const MAX_DEPTH: usize = 256;

/// The characters of a part that is XML.
pub(crate) fn decode(bytes: &[u8]) -> String {
    encoding::decode(bytes, None)
}

pub(crate) struct Xml<'x> {
    reader: Reader<&'x [u8]>,
    depth: usize,
    format: Format,
}

/// What is met on the way through a document. Names are without their prefix.
pub(crate) enum Token<'x> {
    Open(Element<'x>),
    Close(String),
    Text(Cow<'x, str>),
}

impl<'x> Xml<'x> {
    pub(crate) fn new(text: &'x str, format: Format) -> Self {
        let mut reader = Reader::from_str(text);
        // `<a/>` is met as `<a></a>`, so that there is one way to read both.
        reader.config_mut().expand_empty_elements = true;
        Self { reader, depth: 0, format }
    }

    /// The next thing, or `None` at the end.
    pub(crate) fn next(&mut self) -> Result<Option<Token<'x>>, Flaw> {
        loop {
            let event = self.reader.read_event().map_err(|_| Flaw::Damaged { format: self.format })?;
            let token = match event {
                Event::Start(start) => {
                    self.depth += 1;
                    if self.depth > MAX_DEPTH {
                        return Err(Flaw::TooDeep { limit: MAX_DEPTH });
                    }
                    Token::Open(Element(start))
                }
                Event::End(end) => {
                    self.depth = self.depth.saturating_sub(1);
                    Token::Close(end.local_name().as_ref().to_owned())
                }
                Event::Text(text) => Token::Text(text.into_inner()),
                Event::CData(text) => Token::Text(text.into_inner()),
                Event::GeneralRef(reference) => Token::Text(Cow::Owned(resolve(&reference))),
                Event::DocType(_) => return Err(Flaw::Entities),
                Event::Eof if self.depth > 0 => return Err(Flaw::Damaged { format: self.format }),
                Event::Eof => return Ok(None),
                Event::Empty(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) => continue,
            };
            return Ok(Some(token));
        }
    }

    /// Passes over what is inside of the element that was just opened.
    pub(crate) fn skip(&mut self) -> Result<(), Flaw> {
        let outside = self.depth.saturating_sub(1);
        while self.depth > outside {
            if self.next()?.is_none() {
                break;
            }
        }
        Ok(())
    }

    /// The text inside of the element that was just opened, its descendants' included.
    pub(crate) fn text(&mut self) -> Result<String, Flaw> {
        let outside = self.depth.saturating_sub(1);
        let mut text = String::new();
        while self.depth > outside {
            match self.next()? {
                Some(Token::Text(piece)) => text.push_str(&piece),
                Some(_) => {}
                None => break,
            }
        }
        Ok(text)
    }
}

pub(crate) struct Element<'x>(BytesStart<'x>);

impl Element<'_> {
    pub(crate) fn name(&self) -> String {
        self.0.local_name().as_ref().to_owned()
    }

    /// The value of an attribute, whatever its prefix.
    pub(crate) fn attribute(&self, name: &str) -> Option<String> {
        self.value_of(|key| key.local_name().as_ref() == name)
    }

    /// The value of an attribute that has a prefix, whichever that is.
    pub(crate) fn prefixed_attribute(&self, name: &str) -> Option<String> {
        self.value_of(|key| key.prefix().is_some() && key.local_name().as_ref() == name)
    }

    fn value_of(&self, wanted: impl Fn(QName<'_>) -> bool) -> Option<String> {
        let attribute = self.0.attributes().with_checks(false).flatten().find(|attribute| wanted(attribute.key))?;
        Some(attribute.normalized_value(XmlVersion::Implicit1_0).ok()?.into_owned())
    }
}

/// The five entities that every XML has, and characters by number; whatever else is left out.
fn resolve(reference: &BytesRef<'_>) -> String {
    if let Ok(Some(character)) = reference.resolve_char_ref() {
        return character.to_string();
    }
    let name: &str = reference;
    quick_xml::escape::resolve_predefined_entity(name).unwrap_or_default().to_owned()
}

/// The text of every element of these names, anywhere in the document; the first of each name counts.
pub(crate) fn first_texts(bytes: &[u8], names: &[&str], format: Format) -> Result<HashMap<String, String>, Flaw> {
    let text = decode(bytes);
    let mut xml = Xml::new(&text, format);
    let mut found = HashMap::new();
    while let Some(token) = xml.next()? {
        if let Token::Open(element) = token {
            let name = element.name();
            if names.contains(&name.as_str()) && !found.contains_key(&name) {
                found.insert(name, xml.text()?);
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(xml: &str) -> Result<String, Flaw> {
        let mut xml = Xml::new(xml, Format::Docx);
        let mut all = String::new();
        while let Some(token) = xml.next()? {
            if let Token::Text(text) = token {
                all.push_str(&text);
            }
        }
        Ok(all)
    }

    #[test]
    fn references_are_resolved_and_nothing_else_is() {
        assert_eq!(texts("<a>x &lt; &#228;<![CDATA[<b>]]>&nbsp;</a>").unwrap(), "x < ä<b>");
    }

    #[test]
    fn declared_entities_deep_nesting_and_missing_ends_are_refused() {
        let bomb = "<!DOCTYPE a [<!ENTITY b \"bbbb\">]><a>&b;</a>";
        assert_eq!(texts(bomb), Err(Flaw::Entities));
        assert_eq!(texts(&"<a>".repeat(300)), Err(Flaw::TooDeep { limit: MAX_DEPTH }));
        assert_eq!(texts("<a><b></b>"), Err(Flaw::Damaged { format: Format::Docx }));
    }

    #[test]
    fn an_element_can_be_skipped_or_read_whole() {
        let mut xml = Xml::new("<a><skip>no<b>no</b></skip><t>yes <i>yes</i></t>rest</a>", Format::Docx);
        let mut all = String::new();
        while let Some(token) = xml.next().unwrap() {
            match token {
                Token::Open(element) if element.name() == "skip" => xml.skip().unwrap(),
                Token::Open(element) if element.name() == "t" => all.push_str(&xml.text().unwrap()),
                Token::Text(text) => all.push_str(&text),
                _ => {}
            }
        }
        assert_eq!(all, "yes yesrest");
    }
}
