//! What a site lists of itself, in the format of <https://www.sitemaps.org/protocol.html>.

mod element;

use std::io::{BufRead, BufReader};

use flate2::bufread::MultiGzDecoder;
use omni_domain::Timestamp;
use quick_xml::{Reader, events::Event};

use crate::page_url::PageUrl;
use element::{Elements, Progress};

/// The most bytes of a sitemap, unpacked.
pub const MAX_SITEMAP_BYTES: u64 = 10 * 1024 * 1024;
/// The most pages of a sitemap together with those that it refers to.
pub const MAX_SITEMAP_PAGES: usize = 50_000;
/// The most sitemaps that an index may refer to.
pub const MAX_CHILD_SITEMAPS: usize = 50;
/// The most bytes of the URLs of a sitemap together.
const MAX_URL_BYTES: usize = 16 * 1024 * 1024;

/// A sitemap, as far as it could be read.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sitemap {
    /// The pages, in the order of the file.
    pub pages: Vec<ListedPage>,
    /// The other sitemaps that this one refers to, if it is an index.
    pub children: Vec<PageUrl>,
    /// How many entries were left out because they are not the URL of a web page.
    pub unreadable: u64,
    /// Why reading ended before the end.
    pub cut: Option<Cut>,
}

/// An entry of a sitemap.
#[derive(Debug, Clone, PartialEq)]
pub struct ListedPage {
    /// The page.
    pub url: PageUrl,
    /// When it was changed, as its site says. A day without a time means its beginning in UTC.
    pub last_modified: Option<Timestamp>,
}

/// Why not all of a sitemap was read. What was read before counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Cut {
    /// The server did not give it.
    #[error("the sitemap could not be fetched")]
    Unavailable,
    /// It is some other document.
    #[error("this is not a sitemap: it begins with neither urlset nor sitemapindex")]
    NotASitemap,
    /// It is not XML, not UTF-8 or not gzip, from some place on.
    #[error("the sitemap is broken from some place on")]
    Malformed,
    /// It has more than [`MAX_SITEMAP_BYTES`].
    #[error("the sitemap has more than {} MB", MAX_SITEMAP_BYTES >> 20)]
    TooLarge,
    /// It lists more than [`MAX_SITEMAP_PAGES`], or its URLs are too long together.
    #[error("the sitemap lists more than {MAX_SITEMAP_PAGES} pages")]
    TooManyPages,
    /// It refers to more than [`MAX_CHILD_SITEMAPS`].
    #[error("the sitemap refers to more than {MAX_CHILD_SITEMAPS} others")]
    TooManyChildren,
    /// It refers to a sitemap that itself refers to others.
    #[error("an index of sitemaps refers to another index; only its own sitemaps are read")]
    NestedIndex,
    /// It refers to a sitemap on another host, which has no say about this one.
    #[error("the sitemap refers to another host")]
    OtherHost,
}

impl Cut {
    /// A stable name for programs.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Unavailable => "sitemap_unavailable",
            Self::NotASitemap => "sitemap_not_recognised",
            Self::Malformed => "sitemap_malformed",
            Self::TooLarge => "sitemap_too_large",
            Self::TooManyPages => "sitemap_too_many_pages",
            Self::TooManyChildren => "sitemap_too_many_children",
            Self::NestedIndex => "sitemap_nested_index",
            Self::OtherHost => "sitemap_other_host",
        }
    }
}

/// How much may still be taken from sitemaps.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Room {
    pub(crate) pages: usize,
    pub(crate) url_bytes: usize,
}

impl Room {
    pub(crate) const fn all() -> Self {
        Self { pages: MAX_SITEMAP_PAGES, url_bytes: MAX_URL_BYTES }
    }

    /// What is left after `sitemap`.
    pub(crate) fn after(self, sitemap: &Sitemap) -> Self {
        let bytes = sitemap.pages.iter().map(|page| page.url.as_str().len()).sum();
        Self { pages: self.pages.saturating_sub(sitemap.pages.len()), url_bytes: self.url_bytes.saturating_sub(bytes) }
    }
}

impl Sitemap {
    /// Reads a file, packed with gzip or not. It takes memory for what it lists and for the longest stretch of text in
    /// it, and never fails: [`Sitemap::cut`] says how far it came.
    #[must_use]
    pub fn parse(file: &[u8]) -> Self {
        Self::parse_within(file, Room::all())
    }

    pub(crate) fn parse_within(file: &[u8], room: Room) -> Self {
        if file.starts_with(&[0x1f, 0x8b]) {
            read(BufReader::new(MultiGzDecoder::new(file)), room)
        } else {
            read(file, room)
        }
    }

    pub(crate) fn unavailable() -> Self {
        Self { cut: Some(Cut::Unavailable), ..Self::default() }
    }
}

fn read(file: impl BufRead, room: Room) -> Sitemap {
    let mut reader = Reader::from_reader(file.take(MAX_SITEMAP_BYTES));
    // Many sites write the ampersands of their URLs as they are.
    reader.config_mut().allow_dangling_amp = true;
    let mut elements = Elements::new(room);
    let mut buffer = Vec::new();
    let cut = loop {
        buffer.clear();
        match reader.read_event_into(&mut buffer) {
            Ok(Event::Eof) if elements.are_open() => break Some(Cut::Malformed),
            Ok(Event::Eof) if elements.were_none() => break Some(Cut::NotASitemap),
            Ok(Event::Eof) => break None,
            Ok(event) => {
                if let Progress::Stop(cut) = elements.take(&event) {
                    break Some(cut);
                }
            }
            Err(_) if elements.were_none() => break Some(Cut::NotASitemap),
            Err(_) => break Some(Cut::Malformed),
        }
    };
    let exhausted = reader.get_ref().limit() == 0;
    Sitemap { cut: if exhausted && cut.is_some() { Some(Cut::TooLarge) } else { cut }, ..elements.finish() }
}
