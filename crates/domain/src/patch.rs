use serde::{Deserialize, Deserializer};

use crate::{Invalid, Text, optional_text, required_text};

/// One field of an update: left out keeps the stored value, `null` clears it, a value replaces it.
///
/// Give the field `#[serde(default)]`, so that leaving it out is [`Patch::Keep`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Patch<T> {
    /// The field was not in the request.
    #[default]
    Keep,
    /// The field was `null`.
    Clear,
    /// The field had a value.
    Set(T),
}

impl<T> Patch<T> {
    /// Applies the update to an optional stored value.
    #[must_use]
    pub fn over(self, stored: Option<T>) -> Option<T> {
        match self {
            Self::Keep => stored,
            Self::Clear => None,
            Self::Set(value) => Some(value),
        }
    }

    /// Applies the update to a stored value that cannot be absent: clearing it falls back to `default`.
    #[must_use]
    pub fn over_or(self, stored: T, default: T) -> T {
        match self {
            Self::Keep => stored,
            Self::Clear => default,
            Self::Set(value) => value,
        }
    }

    /// Checks or converts the new value, if there is one.
    ///
    /// # Errors
    /// Whatever `check` finds.
    pub fn try_map<U, E>(self, check: impl FnOnce(T) -> Result<U, E>) -> Result<Patch<U>, E> {
        Ok(match self {
            Self::Keep => Patch::Keep,
            Self::Clear => Patch::Clear,
            Self::Set(value) => Patch::Set(check(value)?),
        })
    }

    /// Converts the new value, if there is one.
    #[must_use]
    pub fn map<U>(self, convert: impl FnOnce(T) -> U) -> Patch<U> {
        match self {
            Self::Keep => Patch::Keep,
            Self::Clear => Patch::Clear,
            Self::Set(value) => Patch::Set(convert(value)),
        }
    }

    /// Whether the stored value stays as it is.
    #[must_use]
    pub const fn is_keep(&self) -> bool {
        matches!(self, Self::Keep)
    }
}

impl Patch<String> {
    /// Applies the update to a stored text that must be there.
    ///
    /// # Errors
    /// An [`Invalid`] that names `field`.
    pub fn over_required(self, field: &'static str, stored: String, kind: Text) -> Result<String, Invalid> {
        match self {
            Self::Keep => Ok(stored),
            Self::Clear => Err(Invalid::new(field, "must not be empty")),
            Self::Set(value) => required_text(field, &value, kind),
        }
    }

    /// Applies the update to a stored text that may be absent.
    ///
    /// # Errors
    /// An [`Invalid`] that names `field`.
    pub fn over_optional(
        self,
        field: &'static str,
        stored: Option<String>,
        kind: Text,
    ) -> Result<Option<String>, Invalid> {
        optional_text(field, self.over(stored).as_deref(), kind)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Patch<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Option::<T>::deserialize(deserializer)?.map_or(Self::Clear, Self::Set))
    }
}
