mod admin_list;
mod admin_verify;
mod list;
mod verify;

pub(crate) use admin_list::AdminList;
pub(crate) use admin_verify::AdminVerify;
pub(crate) use list::List;
pub(crate) use verify::Verify;

use omni_domain::{AuditEntry, AuditFilter, Invalid, Page, Timestamp, UserId};
use omni_http::{ApiError, Paged, Paging};
use omni_wire::AuditEntryResponse;
use serde::Deserialize;
use time::format_description::well_known::Rfc3339;
use utoipa::IntoParams;

const SECTION: &str = "Audit";

/// Which entries are wanted.
#[derive(Debug, Clone, Deserialize, IntoParams)]
pub(crate) struct Wanted {
    /// The number of the page, from 1.
    #[serde(default)]
    page: Option<u32>,
    /// How many items a page has.
    #[serde(default)]
    per_page: Option<u32>,
    /// Only what this person did.
    #[serde(default)]
    actor_id: Option<i64>,
    /// Only this act, such as `agent.update`; with a dot at its end all that begin so, such as `agent.`.
    #[serde(default)]
    action: Option<String>,
    /// `done` or `refused`.
    #[serde(default)]
    outcome: Option<String>,
    /// From then on (RFC 3339).
    #[serde(default)]
    #[param(format = DateTime)]
    since: Option<String>,
    /// Before then (RFC 3339).
    #[serde(default)]
    #[param(format = DateTime)]
    until: Option<String>,
}

impl Wanted {
    fn paging(&self) -> Paging {
        Paging { page: self.page, per_page: self.per_page }
    }

    fn filter(&self) -> Result<AuditFilter, Invalid> {
        let refused = match self.outcome.as_deref() {
            None => None,
            Some("done") => Some(false),
            Some("refused") => Some(true),
            Some(_) => return Err(Invalid::new("outcome", "must be done or refused")),
        };
        Ok(AuditFilter {
            actor: self.actor_id.map(UserId::new),
            action: self.action.clone().filter(|action| !action.is_empty()),
            refused,
            since: moment("since", self.since.as_deref())?,
            until: moment("until", self.until.as_deref())?,
        })
    }
}

fn moment(field: &'static str, text: Option<&str>) -> Result<Option<Timestamp>, Invalid> {
    // The last hours of the year 9999 west of Greenwich are of the year 10000 here, which is no moment.
    let read = |text| Timestamp::parse(text, &Rfc3339).ok()?.checked_to_offset(time::UtcOffset::UTC);
    match text.map(read) {
        None => Ok(None),
        Some(None) => Err(Invalid::new(field, "must be a moment such as 2026-11-25T10:30:00Z")),
        Some(at) => Ok(at),
    }
}

fn shown(page: &Page<AuditEntry>) -> Result<Paged<AuditEntryResponse>, ApiError> {
    let items = page.items.iter().map(AuditEntryResponse::of).collect::<Result<_, _>>().map_err(ApiError::internal)?;
    Ok(Paged(Page { items, total: page.total, request: page.request }))
}
