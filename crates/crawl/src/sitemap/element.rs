//! The elements of a sitemap, one after the other.

use omni_domain::Timestamp;
use quick_xml::{
    escape::resolve_xml_entity,
    events::{BytesRef, Event},
};
use time::{Date, format_description::well_known::Rfc3339, macros::format_description};

use super::{Cut, ListedPage, MAX_CHILD_SITEMAPS, Room, Sitemap};
use crate::page_url::PageUrl;

/// The longest text of an element that is kept, in bytes: what is longer is no URL.
const MAX_TEXT: usize = 8 * 1024;
/// The deepest nesting that is followed: extensions for images, videos and news need four.
const MAX_DEPTH: usize = 32;

/// Whether to read on.
pub(super) enum Progress {
    Continue,
    Stop(Cut),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Pages,
    Index,
}

#[derive(Clone, Copy)]
enum Field {
    Location,
    LastModified,
}

/// What is being read, and what has been.
pub(super) struct Elements {
    kind: Option<Kind>,
    /// How many elements are open.
    depth: usize,
    in_entry: bool,
    field: Option<Field>,
    location: String,
    last_modified: String,
    sitemap: Sitemap,
    room: Room,
}

impl Elements {
    pub(super) fn new(room: Room) -> Self {
        Self {
            kind: None,
            depth: 0,
            in_entry: false,
            field: None,
            location: String::new(),
            last_modified: String::new(),
            sitemap: Sitemap::default(),
            room,
        }
    }

    pub(super) fn were_none(&self) -> bool {
        self.kind.is_none()
    }

    pub(super) fn are_open(&self) -> bool {
        self.depth > 0
    }

    pub(super) fn finish(self) -> Sitemap {
        self.sitemap
    }

    pub(super) fn take(&mut self, event: &Event<'_>) -> Progress {
        match event {
            Event::Start(element) => return self.open(element.local_name().as_ref()),
            Event::Empty(element) if self.depth == 0 => {
                if let Progress::Stop(cut) = self.open(element.local_name().as_ref()) {
                    return Progress::Stop(cut);
                }
                return self.close();
            }
            Event::End(_) => return self.close(),
            Event::Text(text) => self.text(text),
            Event::CData(text) => self.text(text),
            Event::GeneralRef(reference) => self.reference(reference),
            // Comments, instructions and the document type mean nothing here; entities declared in it stay unknown.
            _ => {}
        }
        Progress::Continue
    }

    fn open(&mut self, name: &str) -> Progress {
        self.depth += 1;
        match (self.depth, self.kind, name) {
            (1, None, "urlset") => self.kind = Some(Kind::Pages),
            (1, None, "sitemapindex") => self.kind = Some(Kind::Index),
            (1, None, _) => return Progress::Stop(Cut::NotASitemap),
            (1, Some(_), _) => return Progress::Stop(Cut::Malformed),
            (2, Some(Kind::Pages), "url") | (2, Some(Kind::Index), "sitemap") => {
                self.in_entry = true;
                self.location.clear();
                self.last_modified.clear();
            }
            (3, _, "loc") if self.in_entry => self.field = Some(Field::Location),
            (3, _, "lastmod") if self.in_entry => self.field = Some(Field::LastModified),
            (depth, _, _) if depth > MAX_DEPTH => return Progress::Stop(Cut::Malformed),
            _ => {}
        }
        Progress::Continue
    }

    fn close(&mut self) -> Progress {
        let closed = self.depth;
        self.depth = self.depth.saturating_sub(1);
        match closed {
            3 => self.field = None,
            2 if self.in_entry => {
                self.in_entry = false;
                return self.list();
            }
            _ => {}
        }
        Progress::Continue
    }

    fn text(&mut self, text: &str) {
        let field = match self.field {
            Some(Field::Location) if self.depth == 3 => &mut self.location,
            Some(Field::LastModified) if self.depth == 3 => &mut self.last_modified,
            _ => return,
        };
        // Text that is too long is made too long to be a URL, not cut to one.
        let room = (MAX_TEXT + 1).saturating_sub(field.len());
        field.extend(text.chars().take(room));
    }

    /// Only what XML itself defines. A reference to anything else stays as it is written, and makes no URL that exists.
    fn reference(&mut self, reference: &BytesRef<'_>) {
        match (reference.resolve_char_ref(), resolve_xml_entity(reference)) {
            (Ok(Some(letter)), _) => self.text(letter.encode_utf8(&mut [0; 4])),
            (_, Some(text)) => self.text(text),
            _ => self.text(&format!("&{};", &**reference)),
        }
    }

    fn list(&mut self) -> Progress {
        let Ok(url) = PageUrl::parse(self.location.trim()) else {
            self.sitemap.unreadable += 1;
            return Progress::Continue;
        };
        if self.kind == Some(Kind::Index) {
            if self.sitemap.children.len() == MAX_CHILD_SITEMAPS {
                return Progress::Stop(Cut::TooManyChildren);
            }
            self.sitemap.children.push(url);
            return Progress::Continue;
        }
        let length = url.as_str().len();
        if self.sitemap.pages.len() >= self.room.pages || length > self.room.url_bytes {
            return Progress::Stop(Cut::TooManyPages);
        }
        self.room.url_bytes -= length;
        self.sitemap.pages.push(ListedPage { url, last_modified: moment(self.last_modified.trim()) });
        Progress::Continue
    }
}

/// Reads a date as the W3C writes it (<https://www.w3.org/TR/NOTE-datetime>), to the day at least.
fn moment(written: &str) -> Option<Timestamp> {
    if let Ok(moment) = Timestamp::parse(written, &Rfc3339) {
        return Some(moment);
    }
    let minutes =
        format_description!("[year]-[month]-[day]T[hour]:[minute][offset_hour sign:mandatory]:[offset_minute]");
    if let Ok(moment) = Timestamp::parse(&written.replace('Z', "+00:00"), minutes) {
        return Some(moment);
    }
    let day = Date::parse(written, format_description!("[year]-[month]-[day]")).ok()?;
    Some(day.midnight().assume_utc())
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::moment;

    #[test]
    fn dates_are_read_to_the_day_at_least() {
        for (written, meant) in [
            ("2026-11-25", Some(datetime!(2026-11-25 00:00 UTC))),
            ("2026-11-25T10:30:15+02:00", Some(datetime!(2026-11-25 08:30:15 UTC))),
            ("2026-11-25T10:30:15.250Z", Some(datetime!(2026-11-25 10:30:15.25 UTC))),
            ("2026-11-25T10:30+02:00", Some(datetime!(2026-11-25 08:30 UTC))),
            ("2026-11-25T10:30Z", Some(datetime!(2026-11-25 10:30 UTC))),
            ("2026-11", None),
            ("2026-13-01", None),
            ("yesterday", None),
            ("", None),
        ] {
            assert_eq!(moment(written), meant, "{written}");
        }
    }
}
