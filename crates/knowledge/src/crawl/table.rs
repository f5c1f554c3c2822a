//! The table of a domain's pages, as one visit remembers it.

use std::collections::HashMap;

use omni_crawl::{Offered, PageUrl, Refusal, Via};
use omni_domain::{DocumentId, DomainUrl, UrlStatus, UrlVia};
use omni_persistence::{FoundUrl, NewUrl};

/// How many pages are noted in one statement.
const AT_ONCE: usize = 500;
/// The most pages that are kept though they are not visited: a site may link to any number of them.
const MOST_EXCLUDED: usize = 5_000;

pub(super) struct Table {
    pages: HashMap<String, DomainUrl>,
    /// The pages in the order in which they are to be considered.
    order: Vec<String>,
    excluded: usize,
}

impl Table {
    pub(super) fn of(rows: Vec<DomainUrl>) -> Self {
        let order = rows.iter().map(|row| row.url.clone()).collect();
        let excluded = rows.iter().filter(|row| row.status == UrlStatus::Excluded).count();
        Self { pages: rows.into_iter().map(|row| (row.url.clone(), row)).collect(), order, excluded }
    }

    pub(super) fn get(&self, page: &PageUrl) -> Option<&DomainUrl> {
        self.pages.get(page.as_str())
    }

    /// All pages, as they are now.
    pub(super) fn all(&self) -> Vec<DomainUrl> {
        self.order.iter().filter_map(|url| self.pages.get(url)).cloned().collect()
    }

    /// Takes pages as the database has them now.
    pub(super) fn take(&mut self, rows: Vec<DomainUrl>) {
        for row in rows {
            if self.pages.insert(row.url.clone(), row.clone()).is_none() {
                self.order.push(row.url);
            }
        }
    }

    pub(super) fn exclude(&mut self, row: &DomainUrl, reason: &str) {
        if let Some(row) = self.pages.get_mut(&row.url) {
            row.status = UrlStatus::Excluded;
            row.reason = Some(reason.to_owned());
            (row.document, row.content_hash, row.etag, row.last_modified) = (None, None, None, None);
        }
    }

    pub(super) fn indexed(&mut self, row: &DomainUrl, document: DocumentId) {
        if let Some(row) = self.pages.get_mut(&row.url) {
            row.document = Some(document);
        }
    }

    /// What is to be noted of a page that was offered, if anything.
    pub(super) fn news(&mut self, page: &PageUrl, via: Via, depth: u8, offered: Offered) -> Option<FoundUrl> {
        let known = self.pages.get(page.as_str());
        match offered {
            // What is elsewhere is none of the domain's pages, and what only counts is not remembered.
            Offered::NotKept | Offered::Refused(Refusal::OtherHost | Refusal::NotHttp | Refusal::TooLong) => None,
            Offered::Refused(reason) if known.is_none() && self.excluded < MOST_EXCLUDED => {
                self.excluded += 1;
                Some(found(page, via, depth, Some(reason.as_str())))
            }
            Offered::Refused(_) => None,
            Offered::Known if known.is_some() => None,
            Offered::Queued | Offered::Upgraded | Offered::Known => Some(found(page, via, depth, None)),
        }
    }
}

/// A page as it was found.
pub(super) fn found(page: &PageUrl, via: Via, depth: u8, excluded: Option<&'static str>) -> FoundUrl {
    let new = NewUrl { url: page.as_str().to_owned(), address: page.address().to_string() };
    FoundUrl { page: new, via: from_via(via), depth, excluded }
}

/// The pages in statements of a size; each page is in one of them once.
pub(super) fn batches(news: Vec<FoundUrl>) -> Vec<Vec<FoundUrl>> {
    let mut seen = std::collections::HashSet::new();
    let once: Vec<FoundUrl> = news.into_iter().filter(|found| seen.insert(found.page.url.clone())).collect();
    once.chunks(AT_ONCE).map(<[FoundUrl]>::to_vec).collect()
}

pub(super) const fn via_of(via: UrlVia) -> Via {
    match via {
        UrlVia::Manual => Via::Manual,
        UrlVia::Seed => Via::Seed,
        UrlVia::Sitemap => Via::Sitemap,
        UrlVia::Link => Via::Link,
    }
}

const fn from_via(via: Via) -> UrlVia {
    match via {
        Via::Manual => UrlVia::Manual,
        Via::Seed => UrlVia::Seed,
        Via::Sitemap => UrlVia::Sitemap,
        Via::Link => UrlVia::Link,
    }
}
