use crate::{Timestamp, UserId};

/// A person with an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The account's number.
    pub id: UserId,
    /// In lower case, and of this account only.
    pub email: String,
    /// What others see; the part before the `@` until the person says otherwise.
    pub name: String,
    /// A deactivated person is refused everywhere at once.
    pub is_active: bool,
    /// When the account was made.
    pub created: Timestamp,
}
