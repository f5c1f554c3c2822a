use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The ladder of roles, lowest first; each role may do whatever those below it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Anyone, signed in or not.
    Guest,
    /// A signed-in person. As a member's role: may use an app's private marketplace agents, not see its workspace.
    User,
    /// Sees everything in an app and talks to its agents.
    Viewer,
    /// Changes what an app holds.
    Editor,
    /// Invites and removes members.
    Administrator,
    /// Owns the app: settings, keys, deletion.
    Owner,
    /// Named in the operator's configuration; outranks everyone everywhere.
    Omniadmin,
}

/// A word that is no role.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{0}` is no role; the roles are owner, administrator, editor, viewer and user")]
pub struct UnknownRole(pub String);

impl Role {
    /// All roles, lowest first.
    pub const LADDER: [Self; 7] =
        [Self::Guest, Self::User, Self::Viewer, Self::Editor, Self::Administrator, Self::Owner, Self::Omniadmin];

    /// The word that the contract and the database use for the role.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Guest => "guest",
            Self::User => "user",
            Self::Viewer => "viewer",
            Self::Editor => "editor",
            Self::Administrator => "administrator",
            Self::Owner => "owner",
            Self::Omniadmin => "omniadmin",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        Self::LADDER.into_iter().find(|role| role.as_str() == word).ok_or_else(|| UnknownRole(word.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ladder_is_the_order() {
        assert!(Role::LADDER.is_sorted());
        assert!(Role::Omniadmin > Role::Owner && Role::Viewer > Role::User && Role::User > Role::Guest);
    }

    #[test]
    fn every_role_survives_its_own_word() {
        for role in Role::LADDER {
            assert_eq!(role.as_str().parse(), Ok(role));
        }
        assert_eq!("admin".parse::<Role>(), Err(UnknownRole("admin".into())));
    }
}
