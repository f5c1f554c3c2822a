use crate::app::HIGHEST_RATE_LIMIT;
use crate::{ApiKeyId, AppId, Audited, Facts, Invalid, Text, Timestamp, UserId, required_text};

/// What every API key begins with, so that a leaked one can be recognised.
pub const API_KEY_PREFIX: &str = "mattin_";

/// A key by which programs use an app's agents. The key itself is shown once, when it is made, and kept nowhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// The key's number.
    pub id: ApiKeyId,
    /// The app that it opens.
    pub app: AppId,
    /// What people call it.
    pub name: String,
    /// Enough of it to recognise it by.
    pub mask: String,
    /// How many requests a minute it takes; 0 is without limit.
    pub rate_limit: u32,
    /// Who made it; none if that account is gone.
    pub creator: Option<UserId>,
    /// When it was made.
    pub created: Timestamp,
    /// When it was last used; none if it never was.
    pub last_used: Option<Timestamp>,
}

/// A new key, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKeyDraft {
    /// What people will call it.
    pub name: String,
    /// Requests a minute; 0 is without limit.
    pub rate_limit: u32,
}

impl ApiKeyDraft {
    /// Checks what the caller sent.
    ///
    /// # Errors
    /// An [`Invalid`] that names the first field that breaks a rule.
    pub fn new(name: &str, rate_limit: Option<u32>) -> Result<Self, Invalid> {
        let rate_limit = rate_limit.unwrap_or(0);
        if rate_limit > HIGHEST_RATE_LIMIT {
            let most = format!("must be at most {HIGHEST_RATE_LIMIT}; 0 is without limit");
            return Err(Invalid::new("rate_limit", most));
        }
        Ok(Self { name: required_text("name", name, Text::Name)?, rate_limit })
    }
}

impl Audited for ApiKey {
    const KIND: &'static str = "api_key";

    fn number(&self) -> i64 {
        self.id.get()
    }

    fn title(&self) -> &str {
        &self.name
    }

    fn facts(&self) -> Facts {
        Facts::new().with("name", &self.name).with("key", &self.mask).with("rate_limit", self.rate_limit)
    }
}
