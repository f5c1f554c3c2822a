use crate::{AppId, Audited, Facts, Invalid, Patch, Role, Text, Timestamp, UserId, required_text};

/// The most requests a minute that an app's limit can be set to.
pub(crate) const HIGHEST_RATE_LIMIT: u32 = 1_000_000;

/// The most megabytes that an app's limit of a file can be set to: more than any server takes.
const LARGEST_FILE_MB: u32 = 1_000_000;

/// An app: what users call a workspace, and the tenant that everything else belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct App {
    /// The app's number.
    pub id: AppId,
    /// What its members call it.
    pub name: String,
    /// Made from the first name, unique, and kept when the name changes.
    pub slug: String,
    /// The person who owns it.
    pub owner: UserId,
    /// How many turns a minute its agents take together; 0 is without limit.
    pub agent_rate_limit: u32,
    /// The most megabytes of an uploaded file; 0 is what the server allows.
    pub max_file_size_mb: u32,
    /// When it was made.
    pub created: Timestamp,
    /// When it last changed.
    pub updated: Timestamp,
}

/// How much an app holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AppCounts {
    /// Its agents.
    pub agents: u64,
    /// Its model providers.
    pub ai_services: u64,
    /// The people who accepted an invitation; the owner is not among them.
    pub collaborators: u64,
}

/// An app as one of its members sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppOverview {
    /// The app.
    pub app: App,
    /// Its owner's name.
    pub owner_name: String,
    /// Its owner's e-mail address.
    pub owner_email: String,
    /// What the person who asks may do in it.
    pub role: Role,
    /// How much it holds.
    pub counts: AppCounts,
}

/// A new app, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppDraft {
    /// What its members will call it.
    pub name: String,
    /// Turns a minute; 0 is without limit.
    pub agent_rate_limit: u32,
    /// Megabytes of an uploaded file; 0 is what the server allows.
    pub max_file_size_mb: u32,
}

impl AppDraft {
    /// Checks what the caller sent.
    ///
    /// # Errors
    /// An [`Invalid`] that names the first field that breaks a rule.
    pub fn new(name: &str, agent_rate_limit: Option<u32>, max_file_size_mb: Option<u32>) -> Result<Self, Invalid> {
        Ok(Self {
            name: required_text("name", name, Text::Name)?,
            agent_rate_limit: rate_limit(agent_rate_limit.unwrap_or(0))?,
            max_file_size_mb: file_size(max_file_size_mb.unwrap_or(0))?,
        })
    }
}

/// A change of an app's settings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AppPatch {
    /// A new name; the slug stays.
    pub name: Patch<String>,
    /// A new limit of turns a minute.
    pub agent_rate_limit: Patch<u32>,
    /// A new limit of an uploaded file's megabytes.
    pub max_file_size_mb: Patch<u32>,
}

impl AppPatch {
    /// The app as it will be.
    ///
    /// # Errors
    /// An [`Invalid`] that names the first field that breaks a rule.
    pub fn apply(self, app: App) -> Result<App, Invalid> {
        let name = match self.name {
            Patch::Keep => app.name,
            Patch::Clear => return Err(Invalid::new("name", "must not be empty")),
            Patch::Set(name) => required_text("name", &name, Text::Name)?,
        };
        let agent_rate_limit = rate_limit(self.agent_rate_limit.over_or(app.agent_rate_limit, 0))?;
        let max_file_size_mb = file_size(self.max_file_size_mb.over_or(app.max_file_size_mb, 0))?;
        Ok(App { name, agent_rate_limit, max_file_size_mb, ..app })
    }
}

fn rate_limit(limit: u32) -> Result<u32, Invalid> {
    if limit > HIGHEST_RATE_LIMIT {
        return Err(Invalid::new(
            "agent_rate_limit",
            format!("must be at most {HIGHEST_RATE_LIMIT}; 0 is without limit"),
        ));
    }
    Ok(limit)
}

fn file_size(megabytes: u32) -> Result<u32, Invalid> {
    if megabytes > LARGEST_FILE_MB {
        let problem = format!("must be at most {LARGEST_FILE_MB}; 0 is what the server allows");
        return Err(Invalid::new("max_file_size_mb", problem));
    }
    Ok(megabytes)
}

impl Audited for App {
    const KIND: &'static str = "app";

    fn number(&self) -> i64 {
        self.id.get()
    }

    fn title(&self) -> &str {
        &self.name
    }

    fn facts(&self) -> Facts {
        Facts::new()
            .with("name", &self.name)
            .with("slug", &self.slug)
            .with("owner_id", self.owner)
            .with("agent_rate_limit", self.agent_rate_limit)
            .with("max_file_size_mb", self.max_file_size_mb)
    }
}
