//! Web pages.

use std::collections::HashSet;

use dom_query::{Document, Matcher, NodeRef};
use dom_smoothie::Readability;

use super::encoding;
use super::flow::Flow;
use super::outline::Outline;
use crate::worker::Job;
use crate::{Flaw, Format, WebReferences};

/// The most links that are told of one page.
const MAX_LINKS: usize = 20_000;
/// A `<meta>` that names the encoding stands in the first bytes.
const META_SEARCHED: usize = 4096;

/// What a browser does not show as text.
const UNSHOWN: &[&str] = &[
    "head", "script", "style", "noscript", "template", "svg", "math", "iframe", "object", "canvas", "audio", "video",
    "select", "textarea", "datalist",
];

/// Elements that stand on lines of their own.
const BLOCKS: &[&str] = &[
    "address",
    "article",
    "aside",
    "blockquote",
    "body",
    "caption",
    "center",
    "dd",
    "details",
    "dialog",
    "div",
    "dl",
    "dt",
    "fieldset",
    "figcaption",
    "figure",
    "footer",
    "form",
    "header",
    "hr",
    "html",
    "legend",
    "main",
    "nav",
    "ol",
    "p",
    "pre",
    "section",
    "summary",
    "ul",
];

pub(crate) fn read(file: &[u8], job: &Job) -> Result<Outline, Flaw> {
    let page = Document::from(decode(file, job.charset.as_deref()).as_str());
    let mut outline = Outline::new(Format::Html, job.text_limit);
    take_facts(&page, &mut outline);
    let mut flow = Flow::new(outline);
    match &job.selector {
        Some(selector) => read_selected(&page, selector, &mut flow)?,
        None if job.main_text => read_main_text(&page, &mut flow)?,
        None => Walk::new(&mut flow).walk(page.root())?,
    }
    Ok(flow.outline)
}

/// The text of a page that is part of something else (a chapter, an e-mail).
pub(crate) fn read_into(page: &str, flow: &mut Flow) -> Result<(), Flaw> {
    Walk::new(flow).walk(Document::from(page).root())
}

/// The characters of a page: by the encoding that its server named, or that it names itself.
pub(crate) fn decode(file: &[u8], charset: Option<&str>) -> String {
    let own = || {
        let head = String::from_utf8_lossy(file.get(..META_SEARCHED).unwrap_or(file)).to_ascii_lowercase();
        let (_, label) = head.split_once("charset=")?;
        let label = label.trim_start_matches(['"', '\'', ' ']);
        Some(
            label.chars().take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | ':')).collect::<String>(),
        )
    };
    encoding::decode(file, charset.map(str::to_owned).or_else(own).as_deref())
}

fn take_facts(page: &Document, outline: &mut Outline) {
    let attribute = |selector: &str, name: &str| {
        let found = page.select_single(selector).attr(name)?.trim().to_owned();
        (!found.is_empty()).then_some(found)
    };
    let mut seen = HashSet::new();
    let mut links = Vec::new();
    for link in page.select("a[href], area[href]").nodes() {
        let href = link.attr_or("href", "").trim().to_owned();
        if links.len() < MAX_LINKS && !href.is_empty() && seen.insert(href.clone()) {
            links.push(href);
        }
    }
    let facts = outline.facts();
    facts.title = Some(page.select_single("head > title").text().to_string());
    facts.author = attribute("meta[name=author]", "content");
    facts.language = attribute("html", "lang");
    facts.web = Some(WebReferences {
        links,
        base: attribute("base[href]", "href"),
        canonical: attribute("link[rel=canonical]", "href"),
    });
}

/// What matches, in order; a match inside of another one is part of that.
fn read_selected(page: &Document, selector: &str, flow: &mut Flow) -> Result<(), Flaw> {
    let matcher = Matcher::new(selector).map_err(|_| Flaw::Selector)?;
    let selected = page.select_matcher(&matcher);
    let ids: HashSet<_> = selected.nodes().iter().map(|node| node.id).collect();
    for node in selected.nodes() {
        if !node.ancestors_it(None).any(|above| ids.contains(&above.id)) {
            Walk::new(flow).walk(*node)?;
        }
    }
    if ids.is_empty() { Err(Flaw::SelectorMatchesNothing) } else { Ok(()) }
}

/// What a reader came for, without menus and advertisements; the whole page if that cannot be told apart.
fn read_main_text(page: &Document, flow: &mut Flow) -> Result<(), Flaw> {
    let article = Readability::with_document(page.clone(), None, None).and_then(|mut reader| reader.parse());
    match article {
        Ok(article) => read_into(&article.content, flow),
        Err(_) => Walk::new(flow).walk(page.root()),
    }
}

/// Goes through a tree without recursion: how deep it is, its author decides.
struct Walk<'f> {
    flow: &'f mut Flow,
    /// Text that no block has ended yet.
    text: String,
    preformatted: usize,
    in_item: bool,
}

impl<'f> Walk<'f> {
    fn new(flow: &'f mut Flow) -> Self {
        Self { flow, text: String::new(), preformatted: 0, in_item: false }
    }

    fn walk(mut self, root: NodeRef<'_>) -> Result<(), Flaw> {
        let mut node = root;
        loop {
            if self.enter(&node)?
                && let Some(child) = node.first_child()
            {
                node = child;
                continue;
            }
            loop {
                self.leave(&node)?;
                if node.id == root.id {
                    return self.flush(None);
                }
                if let Some(next) = node.next_sibling() {
                    node = next;
                    break;
                }
                match node.parent() {
                    Some(parent) => node = parent,
                    None => return self.flush(None),
                }
            }
        }
    }

    /// Whether what is inside is to be read.
    fn enter(&mut self, node: &NodeRef<'_>) -> Result<bool, Flaw> {
        if node.is_text() {
            self.write(&node.text());
            return Ok(false);
        }
        let Some(name) = node.node_name() else { return Ok(!node.is_comment()) };
        let name: &str = &name;
        if UNSHOWN.contains(&name) || node.has_attr("hidden") {
            return Ok(false);
        }
        match name {
            "br" => self.text.push('\n'),
            "pre" => {
                self.flush(None)?;
                self.preformatted += 1;
            }
            "li" => {
                self.flush(None)?;
                self.in_item = true;
            }
            "table" => {
                self.flush(None)?;
                self.flow.open_table();
            }
            "td" | "th" => self.flow.open_cell(),
            _ if heading_level(name).is_some() || BLOCKS.contains(&name) => self.flush(None)?,
            _ => {}
        }
        Ok(true)
    }

    fn leave(&mut self, node: &NodeRef<'_>) -> Result<(), Flaw> {
        let Some(name) = node.node_name() else { return Ok(()) };
        let name: &str = &name;
        if node.has_attr("hidden") {
            return Ok(());
        }
        match name {
            "pre" => {
                self.flush(None)?;
                self.preformatted = self.preformatted.saturating_sub(1);
            }
            "li" => {
                self.flush(None)?;
                self.in_item = false;
            }
            "td" | "th" => self.flush(None)?,
            "tr" => {
                self.flush(None)?;
                self.flow.close_row()?;
            }
            "table" => {
                self.flush(None)?;
                self.flow.close_table()?;
            }
            _ if BLOCKS.contains(&name) => self.flush(None)?,
            _ => {
                if let Some(level) = heading_level(name) {
                    self.flush(Some(level))?;
                }
            }
        }
        Ok(())
    }

    fn write(&mut self, text: &str) {
        if self.preformatted > 0 {
            self.text.push_str(text);
            return;
        }
        for character in text.chars() {
            let character = if character.is_ascii_whitespace() { ' ' } else { character };
            if character != ' ' || !(self.text.is_empty() || self.text.ends_with([' ', '\n'])) {
                self.text.push(character);
            }
        }
    }

    fn flush(&mut self, heading: Option<u8>) -> Result<(), Flaw> {
        let text = std::mem::take(&mut self.text);
        if text.trim().is_empty() {
            return Ok(());
        }
        if std::mem::take(&mut self.in_item) && heading.is_none() {
            return self.flow.item(&format!("- {}", text.trim()));
        }
        self.flow.paragraph(if self.preformatted > 0 { &text } else { text.trim() }, heading)
    }
}

fn heading_level(name: &str) -> Option<u8> {
    let level = name.strip_prefix('h')?.parse().ok()?;
    (1..=6).contains(&level).then_some(level)
}
