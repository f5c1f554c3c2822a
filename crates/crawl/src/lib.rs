//! Visiting a web site politely.
//!
//! The crate decides which pages of a site are visited, in which order and how often, fetches them, and reports what came
//! of it. It keeps nothing: the caller owns the table of pages, hands URLs in and stores what comes out.
//!
//! * [`CrawlPolicy`] is what the owner of a crawl writes down. [`Scope`] says of every page whether it belongs.
//! * [`Frontier`] is the order of one crawl, a state machine without I/O: pages are [offered](Frontier::offer), the
//!   [`next`](Frontier::next) step comes out, outcomes are [recorded](Frontier::record), and it ends when everything is
//!   visited or the [`Budget`] is spent.
//! * [`Fetcher`] visits: [`Fetcher::fetch`] for a page, [`Fetcher::robots`] and [`Fetcher::sitemap`] for what a site says
//!   of itself. The [`Pacer`] makes it wait its turn.
//! * [`resolve_links`] turns what a page links to into [`PageUrl`]s to offer, and [`next_visit`] says when to come back.
//!
//! Sites are strangers: whatever they send, a page takes at most [`FetchLimits`] in bytes and time, a crawl its budget,
//! and a frontier the memory for [`MAX_KNOWN`] pages. Everything goes out through `omni-egress`.
//!
//! The crate must not depend on a database, on a web framework, or on what is done with the pages. It reads no HTML.

mod agent;
mod error;
mod fetch;
mod frontier;
mod glob;
mod links;
mod origin;
mod pacer;
mod page_url;
mod policy;
mod revisit;
mod robots;
mod scope;
mod sitemap;
mod spelling;

pub use agent::Agent;
pub use error::CrawlError;
pub use fetch::{
    FetchFailure, FetchLimits, Fetched, Fetcher, FetcherParts, FoundSitemaps, Page, SitemapProblem, Validators,
};
pub use frontier::{Budget, Frontier, MAX_KNOWN, MAX_KNOWN_BYTES, Offered, Recorded, Step, Stop, Tally, Visit};
pub use glob::{MAX_GLOB_LEN, MAX_GLOBS};
pub use links::{MAX_LINKS, resolve_links};
pub use origin::Origin;
pub use pacer::{Pacer, Turn};
pub use page_url::{MAX_URL_LEN, PageUrl};
pub use policy::{CrawlPolicy, MAX_MANUAL_URLS};
pub use revisit::{History, MAX_FAILURES, NextVisit, Outcome, next_visit};
pub use robots::{MAX_CRAWL_DELAY, MAX_ROBOTS_BYTES, Robots};
pub use scope::{Decision, Refusal, Scope, Via};
pub use sitemap::{Cut, ListedPage, MAX_CHILD_SITEMAPS, MAX_SITEMAP_BYTES, MAX_SITEMAP_PAGES, Sitemap};
