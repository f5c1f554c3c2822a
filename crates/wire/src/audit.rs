use std::collections::BTreeMap;
use std::fmt::Write;

use omni_domain::{AppId, AuditCheck, AuditEntry};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// One entry of the audit trail.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AuditEntryResponse {
    /// Its place in the trail.
    pub seq: u64,
    /// The app whose trail it is in; none for what is done above all apps.
    #[schema(value_type = Option<i64>)]
    pub app_id: Option<AppId>,
    /// What it tells.
    #[serde(flatten)]
    pub told: AuditTold,
    /// The SHA-256, in hexadecimal digits, of the hash of the entry before it and of this one's text.
    pub hash: String,
}

/// What an entry tells.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct AuditTold {
    /// When.
    #[schema(format = DateTime)]
    pub at: String,
    /// Who acted.
    pub actor: AuditActor,
    /// What was done, such as `agent.update`; of what was refused, the call.
    pub action: String,
    /// `done` or `refused`.
    pub outcome: String,
    /// Why it was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The thing that it was done to.
    pub target: Option<AuditTarget>,
    /// What is different now, by the names of the fields. Of a secret there is its mask.
    pub changes: BTreeMap<String, AuditChange>,
    /// Where the request came from.
    pub origin: AuditOrigin,
}

/// Who acted.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct AuditActor {
    /// The person's account.
    pub user_id: Option<i64>,
    /// The API key by which a program acted.
    pub key_id: Option<i64>,
    /// The person's address or the key's name, as it was then.
    pub name: String,
}

/// The thing that something was done to.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct AuditTarget {
    /// Its kind.
    pub kind: String,
    /// Its number.
    pub id: i64,
    /// What it was called.
    pub name: String,
}

/// How one field changed.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct AuditChange {
    /// What it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Value>,
    /// What it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Value>,
}

/// Where a request came from.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct AuditOrigin {
    /// Its method and path.
    pub call: String,
    /// What it is called in the logs.
    pub request_id: String,
    /// The caller's address.
    pub address: Option<String>,
    /// What the caller's program calls itself.
    pub user_agent: Option<String>,
}

impl AuditEntryResponse {
    /// Makes the answer.
    ///
    /// # Errors
    /// If the entry is not of this form: somebody has changed it.
    pub fn of(entry: &AuditEntry) -> Result<Self, serde_json::Error> {
        let told = serde_json::from_str(&entry.entry)?;
        Ok(Self { seq: entry.seq, app_id: entry.app, told, hash: hexadecimal(&entry.hash) })
    }
}

/// What a check of a trail found.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AuditCheckResponse {
    /// Whether every entry is what it was when it was written, and none is missing.
    pub intact: bool,
    /// How many entries there are.
    pub entries: u64,
    /// The place of the first of them; what was before it is older than the retention.
    pub first: u64,
    /// The place of the last of them.
    pub last: u64,
    /// The place of the first entry that is not what it was, or is missing.
    pub broken_at: Option<u64>,
    /// The hash of the last entry, in hexadecimal digits. Kept elsewhere, it proves later that nothing before it changed.
    pub head: String,
}

impl From<AuditCheck> for AuditCheckResponse {
    fn from(check: AuditCheck) -> Self {
        Self {
            intact: check.broken_at.is_none(),
            entries: check.entries,
            first: check.first,
            last: check.last,
            broken_at: check.broken_at,
            head: hexadecimal(&check.head),
        }
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a `String` cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
