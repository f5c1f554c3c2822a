use serde::Serialize;
use utoipa::ToSchema;

/// What runs here.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct VersionResponse {
    /// The version of Omni.
    pub version: &'static str,
    /// `development` where nobody has to prove who they are, else `production`.
    pub environment: &'static str,
    /// Always null; clients of earlier systems read the field.
    pub python_version: Option<&'static str>,
    /// The oldest Rust that this version builds with.
    pub rust_version: &'static str,
}

/// That the process is alive.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AliveResponse {
    /// Always `alive`: a process that is not says nothing.
    pub status: &'static str,
}

/// That the process can do its work.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ReadyResponse {
    /// `ready`, or `degraded` if something else than the database fails; a process that is not ready answers 503.
    pub status: &'static str,
    /// Whether the database answers and its schema is up to date.
    pub database: bool,
    /// Whether there is room for files on the disk. Without it uploads are refused with 507, and all else goes on.
    pub files: bool,
}
