//! Asking for sitemaps.

use http::StatusCode;
use omni_egress::EgressError;
use tokio::task::spawn_blocking;

use super::{Fetcher, retry_after};
use crate::{
    page_url::PageUrl,
    scope::Site,
    sitemap::{Cut, ListedPage, MAX_SITEMAP_BYTES, Room, Sitemap},
};

/// What a sitemap and those that it refers to list.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct FoundSitemaps {
    /// The pages, sitemap by sitemap. Whether they belong to the crawl is not decided here.
    pub pages: Vec<ListedPage>,
    /// What could not be read, or not to its end.
    pub problems: Vec<SitemapProblem>,
}

/// Why a sitemap was not read to its end.
#[derive(Debug, Clone, PartialEq)]
pub struct SitemapProblem {
    /// The sitemap.
    pub sitemap: PageUrl,
    /// What is wrong with it.
    pub cut: Cut,
}

impl Fetcher {
    /// Fetches a sitemap and, if it is an index, the sitemaps of its host that it refers to, one after the other at the
    /// crawl's pace.
    pub async fn sitemap(&self, url: &PageUrl) -> FoundSitemaps {
        let mut found = FoundSitemaps::default();
        let mut room = Room::all();
        let sitemap = self.one_sitemap(url, room).await;
        let children = found.add(url, &mut room, sitemap);
        for child in children {
            if room.pages == 0 {
                found.note(&child, Cut::TooManyPages);
                break;
            }
            if Site::of(&child) != Site::of(url) {
                found.note(&child, Cut::OtherHost);
                continue;
            }
            let sitemap = self.one_sitemap(&child, room).await;
            if !found.add(&child, &mut room, sitemap).is_empty() {
                found.note(&child, Cut::NestedIndex);
            }
        }
        found
    }

    async fn one_sitemap(&self, url: &PageUrl, room: Room) -> Sitemap {
        let Some(turn) = self.turn(&url.origin()).await else { return Sitemap::unavailable() };
        let request = self.request(url.address().clone(), MAX_SITEMAP_BYTES);
        let Ok(answer) = self.parts.egress.send(request).await else { return Sitemap::unavailable() };
        if let Some(wait) = retry_after::wait(answer.status(), answer.headers(), self.parts.clock.now()) {
            turn.back_off(wait);
        }
        if answer.status() != StatusCode::OK {
            return Sitemap::unavailable();
        }
        match answer.bytes().await {
            Ok(file) => {
                // Ten megabytes of XML keep a thread busy for long enough that others would notice.
                let parsed = spawn_blocking(move || Sitemap::parse_within(&file, room)).await;
                parsed.unwrap_or_else(|_| Sitemap::unavailable())
            }
            Err(EgressError::TooLarge { .. }) => Sitemap { cut: Some(Cut::TooLarge), ..Sitemap::default() },
            Err(_) => Sitemap::unavailable(),
        }
    }
}

impl FoundSitemaps {
    /// Adds what `url` lists, and gives back what it refers to.
    fn add(&mut self, url: &PageUrl, room: &mut Room, sitemap: Sitemap) -> Vec<PageUrl> {
        *room = room.after(&sitemap);
        if let Some(cut) = sitemap.cut {
            self.note(url, cut);
        }
        self.pages.extend(sitemap.pages);
        sitemap.children
    }

    fn note(&mut self, sitemap: &PageUrl, cut: Cut) {
        self.problems.push(SitemapProblem { sitemap: sitemap.clone(), cut });
    }
}
