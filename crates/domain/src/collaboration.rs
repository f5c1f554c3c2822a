use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{AppId, Audited, CollaborationId, Facts, Invalid, Role, Timestamp, UserId, email};

/// A person's place in an app that somebody else owns: offered, taken or refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Collaboration {
    /// The collaboration's number.
    pub id: CollaborationId,
    /// The app.
    pub app: AppId,
    /// The app's name as it is now.
    pub app_name: String,
    /// The person; none until somebody with this address accepts.
    pub user: Option<UserId>,
    /// The address that was invited.
    pub email: String,
    /// The person's name, once they have accepted.
    pub name: Option<String>,
    /// What they may do once they have accepted.
    pub role: Role,
    /// How it stands.
    pub status: InvitationStatus,
    /// Who invited them; none if that account is gone.
    pub inviter: Option<Inviter>,
    /// When they were invited.
    pub invited: Timestamp,
    /// When they accepted.
    pub accepted: Option<Timestamp>,
}

/// Who invited somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inviter {
    /// The account's number.
    pub id: UserId,
    /// The account's address.
    pub email: String,
    /// What others see.
    pub name: String,
}

/// How an invitation stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum InvitationStatus {
    /// The person has not answered.
    Pending,
    /// The person belongs to the app.
    Accepted,
    /// The person does not want to.
    Declined,
}

impl InvitationStatus {
    /// The word that the contract and the database use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Accepted => "accepted",
            Self::Declined => "declined",
        }
    }
}

impl fmt::Display for InvitationStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for InvitationStatus {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        [Self::Pending, Self::Accepted, Self::Declined]
            .into_iter()
            .find(|status| status.as_str() == word)
            .ok_or_else(|| format!("`{word}` is no status of an invitation"))
    }
}

/// An invitation, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvitationDraft {
    /// Whom, in lower case.
    pub email: String,
    /// To which role.
    pub role: Role,
}

impl InvitationDraft {
    /// Checks what somebody who holds `held` sent. Without a word about the role, it is `editor`.
    ///
    /// # Errors
    /// An [`Invalid`] for what is no address, no role that can be given, or a role above the inviter's own.
    pub fn new(address: &str, role: Option<&str>, held: Role) -> Result<Self, Invalid> {
        Ok(Self { email: email("email", address)?, role: grantable_role(role.unwrap_or("editor"), held)? })
    }
}

/// A role that somebody who holds `held` may give: a member's role, and none above their own. Owning is never given.
///
/// # Errors
/// An [`Invalid`] that names the field `role`.
pub fn grantable_role(word: &str, held: Role) -> Result<Role, Invalid> {
    let role: Role = word.parse().map_err(|_| Invalid::new("role", "must be administrator, editor, viewer or user"))?;
    match role {
        Role::User | Role::Viewer | Role::Editor | Role::Administrator if role <= held => Ok(role),
        Role::User | Role::Viewer | Role::Editor | Role::Administrator => {
            Err(Invalid::new("role", format!("must not be above your own, which is {held}")))
        }
        Role::Guest | Role::Owner | Role::Omniadmin => {
            Err(Invalid::new("role", format!("{role} cannot be given; use administrator, editor, viewer or user")))
        }
    }
}

/// Whether somebody who holds `held` asks to give a role that is not theirs to give, and has not just mistyped one.
#[must_use]
pub fn overreaches(word: &str, held: Role) -> bool {
    word.parse().is_ok_and(|role: Role| role > held || matches!(role, Role::Owner | Role::Omniadmin))
}

impl Audited for Collaboration {
    const KIND: &'static str = "collaboration";

    fn number(&self) -> i64 {
        self.id.get()
    }

    fn title(&self) -> &str {
        &self.email
    }

    fn facts(&self) -> Facts {
        Facts::new().with("email", &self.email).with("role", self.role.as_str()).with("status", self.status.as_str())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_invitation_is_to_a_role_that_can_be_given() {
        let draft = InvitationDraft::new(" Bob@Example.com ", None, Role::Owner).unwrap();
        assert_eq!((draft.email.as_str(), draft.role), ("bob@example.com", Role::Editor));
        for wrong in ["owner", "omniadmin", "guest", "admin", ""] {
            assert_eq!(InvitationDraft::new("b@example.com", Some(wrong), Role::Owner).unwrap_err().field, "role");
        }
        assert!(InvitationDraft::new("bob", None, Role::Owner).is_err());
    }

    proptest! {
        #[test]
        fn nobody_gives_more_than_they_have(given in 0..7_usize, held in 0..7_usize) {
            let (given, held) = (Role::LADDER[given], Role::LADDER[held]);
            if let Ok(role) = grantable_role(given.as_str(), held) {
                prop_assert!(role == given && role <= held && role < Role::Owner);
            }
        }
    }
}
