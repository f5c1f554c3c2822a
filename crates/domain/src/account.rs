use crate::{Invalid, Patch, Text, User, required_text};

/// An account as the operator sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Whose it is.
    pub user: User,
    /// What it holds.
    pub counts: AccountCounts,
}

/// How much an account holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AccountCounts {
    /// The apps that the person owns.
    pub owned_apps: u64,
    /// The apps of others in which the person has a place.
    pub memberships: u64,
    /// The API keys that the person made.
    pub api_keys: u64,
}

/// Which accounts are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccountFilter {
    /// A part of the address or the name, in any case.
    pub search: Option<String>,
    /// Only those that are active, or only those that are not.
    pub is_active: Option<bool>,
}

/// A change of an account by the operator. The address is not among it: it says who somebody is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccountPatch {
    /// What others see.
    pub name: Patch<String>,
    /// Whether the person is let in.
    pub is_active: Patch<bool>,
}

impl AccountPatch {
    /// The user with these changes.
    ///
    /// # Errors
    /// An [`Invalid`] that names the field that breaks a rule.
    pub fn apply(self, user: User) -> Result<User, Invalid> {
        let name = match self.name {
            Patch::Keep => user.name,
            Patch::Clear => return Err(Invalid::new("name", "must not be empty")),
            Patch::Set(name) => required_text("name", &name, Text::Name)?,
        };
        let is_active = match self.is_active {
            Patch::Keep => user.is_active,
            Patch::Clear => return Err(Invalid::new("is_active", "must be true or false")),
            Patch::Set(is_active) => is_active,
        };
        Ok(User { name, is_active, ..user })
    }
}
