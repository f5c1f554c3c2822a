//! The pages that one crawl knows, in the order of their visits.

use std::{
    collections::{
        BTreeMap, HashMap,
        hash_map::{Entry, RandomState},
    },
    hash::BuildHasher,
};

use crate::{
    page_url::PageUrl,
    scope::{Refusal, Via},
};

/// The most pages that are kept.
pub const MAX_KNOWN: usize = 50_000;
/// The most bytes of the URLs of all pages that are kept.
pub const MAX_KNOWN_BYTES: usize = 16 * 1024 * 1024;
/// The most refused pages that are told from one another.
const MAX_REFUSED: usize = 50_000;

/// How good the way is by which a page was found. Less is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Rank {
    pub(super) via: Via,
    pub(super) depth: u8,
}

/// Whether a page that is known was found by a better way than before.
pub(super) enum Found {
    Better,
    NoBetter,
}

/// A place in the queue: pages of equal rank stand in the order in which they were found.
type Place = (Rank, u32);

#[derive(Debug, Default)]
pub(super) struct Known {
    /// `None` for a page that has had its turn.
    places: HashMap<PageUrl, Option<Place>>,
    queue: BTreeMap<Place, PageUrl>,
    url_bytes: usize,
    /// Fingerprints of pages that do not belong to the crawl: a page may be linked to from everywhere and counts once.
    refused: HashMap<u64, Refusal>,
    fingerprints: RandomState,
}

impl Known {
    /// Moves a page that is known to a better place, if it waits for its turn. `None` if it is not known.
    pub(super) fn improve(&mut self, url: &PageUrl, rank: Rank) -> Option<Found> {
        let place = self.places.get_mut(url)?;
        let Some(before) = place.filter(|before| rank < before.0) else { return Some(Found::NoBetter) };
        let better = (rank, before.1);
        *place = Some(better);
        if let Some(kept) = self.queue.remove(&before) {
            self.queue.insert(better, kept);
        }
        Some(Found::Better)
    }

    /// Keeps a page that is not known, at the end of its rank. `false` if there is no room.
    pub(super) fn add(&mut self, url: &PageUrl, rank: Rank) -> bool {
        let Ok(nth) = u32::try_from(self.places.len()) else { return false };
        let place = (rank, nth);
        let added = self.keep(url, Some(place));
        if added {
            self.queue.insert(place, url.clone());
        }
        added
    }

    fn keep(&mut self, url: &PageUrl, place: Option<Place>) -> bool {
        let bytes = self.url_bytes + url.as_str().len();
        if self.places.len() >= MAX_KNOWN || bytes > MAX_KNOWN_BYTES {
            return false;
        }
        self.url_bytes = bytes;
        self.places.insert(url.clone(), place);
        true
    }

    /// Takes note that a page does not belong to the crawl. `false` if that was known.
    pub(super) fn refuse(&mut self, url: &PageUrl, reason: Refusal) -> bool {
        let has_room = self.refused.len() < MAX_REFUSED;
        match self.refused.entry(self.fingerprints.hash_one(url)) {
            Entry::Occupied(_) => false,
            Entry::Vacant(unseen) => {
                if has_room {
                    unseen.insert(reason);
                }
                true
            }
        }
    }

    /// Takes note that a page belongs to the crawl after all, since it was found by a better way. Why it did not, if so.
    pub(super) fn forgive(&mut self, url: &PageUrl) -> Option<Refusal> {
        self.refused.remove(&self.fingerprints.hash_one(url))
    }

    /// Takes note that a page needs no turn of its own. `false` if it has had it.
    pub(super) fn arrive(&mut self, url: &PageUrl) -> bool {
        match self.places.get_mut(url) {
            Some(place) => {
                let Some(waiting) = place.take() else { return false };
                self.queue.remove(&waiting);
                true
            }
            None => {
                self.keep(url, None);
                true
            }
        }
    }

    /// The page whose turn it is.
    pub(super) fn first(&self) -> Option<(PageUrl, Rank)> {
        self.queue.first_key_value().map(|((rank, _), url)| (url.clone(), *rank))
    }

    /// Takes that page out of the queue; it stays known.
    pub(super) fn take_first(&mut self) {
        if let Some((_, url)) = self.queue.pop_first()
            && let Some(place) = self.places.get_mut(&url)
        {
            *place = None;
        }
    }
}
