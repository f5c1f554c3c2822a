use crate::{Audited, Facts, Timestamp, UserId};

/// A person with an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The account's number.
    pub id: UserId,
    /// In lower case, and of this account only.
    pub email: String,
    /// Whether the address is known to be the person's. Only then does it count where it would raise them.
    pub email_verified: bool,
    /// What others see; the part before the `@` until the person says otherwise.
    pub name: String,
    /// A deactivated person is refused everywhere at once.
    pub is_active: bool,
    /// When the account was made.
    pub created: Timestamp,
}

impl Audited for User {
    const KIND: &'static str = "account";

    fn number(&self) -> i64 {
        self.id.get()
    }

    fn title(&self) -> &str {
        &self.email
    }

    fn facts(&self) -> Facts {
        Facts::new()
            .with("email", &self.email)
            .with("email_verified", self.email_verified)
            .with("name", &self.name)
            .with("is_active", self.is_active)
    }
}
