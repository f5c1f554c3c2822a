use omni_domain::{
    AgentId, AppDraft, AppId, AppOverview, AppPatch, DailyUsage, Invalid, MinuteWindow, Patch, Role, StressLevel,
    Timestamp, UserId,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A new app.
#[derive(Debug, Clone, Deserialize, ToSchema)]
pub struct CreateAppRequest {
    /// What its members will call it.
    #[schema(min_length = 1, max_length = 255)]
    pub name: String,
    /// How many turns a minute its agents take together; 0 is without limit.
    #[serde(default)]
    pub agent_rate_limit: Option<u32>,
    /// The most megabytes of an uploaded file; 0 is what the server allows.
    #[serde(default)]
    pub max_file_size_mb: Option<u32>,
}

impl CreateAppRequest {
    /// Checks it.
    ///
    /// # Errors
    /// An [`Invalid`] that names the field.
    pub fn into_draft(self) -> Result<AppDraft, Invalid> {
        AppDraft::new(&self.name, self.agent_rate_limit, self.max_file_size_mb)
    }
}

/// A change of an app; what is left out stays.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
pub struct UpdateAppRequest {
    /// A new name; the slug stays.
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 255)]
    pub name: Patch<String>,
    /// A new limit of turns a minute; 0 or null is without limit.
    #[serde(default)]
    #[schema(value_type = Option<u32>)]
    pub agent_rate_limit: Patch<u32>,
    /// A new limit of an uploaded file's megabytes; 0 or null is what the server allows.
    #[serde(default)]
    #[schema(value_type = Option<u32>)]
    pub max_file_size_mb: Patch<u32>,
}

impl From<UpdateAppRequest> for AppPatch {
    fn from(request: UpdateAppRequest) -> Self {
        Self {
            name: request.name,
            agent_rate_limit: request.agent_rate_limit,
            max_file_size_mb: request.max_file_size_mb,
        }
    }
}

/// An app as the caller sees it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AppResponse {
    /// Its number.
    #[schema(value_type = i64)]
    pub app_id: AppId,
    /// What its members call it.
    pub name: String,
    /// What it is called in URLs; it stays when the name changes.
    pub slug: String,
    /// Who owns it.
    #[schema(value_type = i64)]
    pub owner_id: UserId,
    /// The owner's name.
    pub owner_name: String,
    /// The owner's e-mail address.
    pub owner_email: String,
    /// What the caller may do in it.
    #[schema(value_type = String)]
    pub role: Role,
    /// How many turns a minute its agents take together; 0 is without limit.
    pub agent_rate_limit: u32,
    /// The most megabytes of an uploaded file; 0 is what the server allows.
    pub max_file_size_mb: u32,
    /// How many agents it has.
    pub agent_count: u64,
    /// How many AI services it has.
    pub ai_service_count: u64,
    /// How many people accepted an invitation to it.
    pub collaborator_count: u64,
    /// When it was made.
    #[serde(with = "time::serde::rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    pub create_date: Timestamp,
    /// When it last changed.
    #[serde(with = "time::serde::rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    pub update_date: Timestamp,
}

impl From<AppOverview> for AppResponse {
    fn from(overview: AppOverview) -> Self {
        Self {
            app_id: overview.app.id,
            name: overview.app.name,
            slug: overview.app.slug,
            owner_id: overview.app.owner,
            owner_name: overview.owner_name,
            owner_email: overview.owner_email,
            role: overview.role,
            agent_rate_limit: overview.app.agent_rate_limit,
            max_file_size_mb: overview.app.max_file_size_mb,
            agent_count: overview.counts.agents,
            ai_service_count: overview.counts.ai_services,
            collaborator_count: overview.counts.collaborators,
            create_date: overview.app.created,
            update_date: overview.app.updated,
        }
    }
}

/// What an app's agents used.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct UsageResponse {
    /// The app.
    #[schema(value_type = i64)]
    pub app_id: AppId,
    /// Its name.
    pub app_name: String,
    /// Its limit of turns a minute; 0 is without limit.
    pub agent_rate_limit: u32,
    /// Turns begun in the running minute.
    pub current_usage: u32,
    /// The same limit, under the name that clients of earlier systems read.
    pub limit: u32,
    /// Turns left in the running minute; -1 is without limit.
    pub remaining: i64,
    /// How much of the limit is used, in percent with one decimal.
    pub usage_percentage: f64,
    /// `unlimited`, `low`, `moderate`, `high` or `critical`.
    #[schema(value_type = String)]
    pub stress_level: StressLevel,
    /// Seconds until the minute is over.
    pub reset_in_seconds: u32,
    /// Whether the next turn must wait for the next minute.
    pub is_over_limit: bool,
    /// The sum of the days below.
    pub totals: UsageTotals,
    /// What each agent did on each of the last thirty days, latest first.
    pub days: Vec<DayUsage>,
}

/// Turns and tokens.
#[derive(Debug, Clone, Copy, Default, Serialize, ToSchema)]
pub struct UsageTotals {
    /// Turns that ended.
    pub turns: u64,
    /// Turns that did not end well.
    pub failed: u64,
    /// Tokens of prompts.
    pub input_tokens: u64,
    /// Tokens of answers.
    pub output_tokens: u64,
}

/// What one agent did on one day.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DayUsage {
    /// The day in UTC.
    #[serde(with = "day")]
    #[schema(value_type = String, format = Date)]
    pub day: time::Date,
    /// The agent; null if it has been deleted since.
    #[schema(value_type = Option<i64>)]
    pub agent_id: Option<AgentId>,
    /// Its name.
    pub agent_name: Option<String>,
    /// What it did.
    #[serde(flatten)]
    pub usage: UsageTotals,
}

time::serde::format_description!(day, Date, "[year]-[month]-[day]");

impl UsageResponse {
    /// Makes the report.
    #[must_use]
    pub fn new(overview: &AppOverview, window: MinuteWindow, days: Vec<DailyUsage>) -> Self {
        let days: Vec<DayUsage> = days.into_iter().map(DayUsage::from).collect();
        Self {
            app_id: overview.app.id,
            app_name: overview.app.name.clone(),
            agent_rate_limit: window.limit,
            current_usage: window.used,
            limit: window.limit,
            remaining: window.remaining().map_or(-1, i64::from),
            usage_percentage: (window.percentage() * 10.0).round() / 10.0,
            stress_level: window.stress(),
            reset_in_seconds: window.resets_in,
            is_over_limit: window.is_exhausted(),
            totals: days.iter().fold(UsageTotals::default(), |sum, day| UsageTotals {
                turns: sum.turns + day.usage.turns,
                failed: sum.failed + day.usage.failed,
                input_tokens: sum.input_tokens + day.usage.input_tokens,
                output_tokens: sum.output_tokens + day.usage.output_tokens,
            }),
            days,
        }
    }
}

impl From<DailyUsage> for DayUsage {
    fn from(daily: DailyUsage) -> Self {
        Self {
            day: daily.day,
            agent_id: daily.agent,
            agent_name: daily.agent_name,
            usage: UsageTotals {
                turns: daily.turns,
                failed: daily.failed,
                input_tokens: daily.tokens.input,
                output_tokens: daily.tokens.output,
            },
        }
    }
}
