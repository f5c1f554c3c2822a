use crate::Invalid;

/// The longest that each kind of text may be, in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Text {
    /// The name of a thing.
    Name,
    /// What a thing is for, in a paragraph.
    Description,
    /// Instructions to a model: a system prompt or a prompt template.
    Prompt,
    /// A URL.
    Url,
    /// A model id, a provider's API version and the like.
    Token,
    /// What a person says to an agent in one message.
    Message,
}

impl Text {
    /// The limit in characters.
    #[must_use]
    pub const fn most(self) -> usize {
        match self {
            Self::Name => 255,
            Self::Description => 1_000,
            Self::Prompt => 100_000,
            Self::Url => 2_048,
            Self::Token => 200,
            Self::Message => 200_000,
        }
    }

    /// Whether line breaks and tabs belong in it.
    const fn is_multiline(self) -> bool {
        matches!(self, Self::Description | Self::Prompt | Self::Message)
    }
}

/// Checks a text that must be there: trimmed, not empty, not too long, without control characters.
///
/// # Errors
/// An [`Invalid`] that names `field`.
pub fn required_text(field: &'static str, value: &str, kind: Text) -> Result<String, Invalid> {
    optional_text(field, Some(value), kind)?.ok_or_else(|| Invalid::new(field, "must not be empty"))
}

/// Checks a text that may be left out; an empty one counts as left out.
///
/// # Errors
/// An [`Invalid`] that names `field`.
pub fn optional_text(field: &'static str, value: Option<&str>, kind: Text) -> Result<Option<String>, Invalid> {
    let Some(value) = value.map(str::trim).filter(|value| !value.is_empty()) else {
        return Ok(None);
    };
    // Bytes first: counting the characters of a megabyte to refuse it would be work done for the attacker.
    if value.len() > kind.most() * 4 || value.chars().count() > kind.most() {
        return Err(Invalid::new(field, format!("must have at most {} characters", kind.most())));
    }
    let allowed = |c: char| !c.is_control() || (kind.is_multiline() && matches!(c, '\n' | '\r' | '\t'));
    if !value.chars().all(allowed) {
        return Err(Invalid::new(field, "must not contain control characters"));
    }
    Ok(Some(value.to_owned()))
}

/// Checks an e-mail address as far as a rule can: one `@`, something on both sides, no spaces, at most 254 characters.
/// Addresses are compared in lower case everywhere, so that is how they are returned.
///
/// # Errors
/// An [`Invalid`] that names `field`.
pub fn email(field: &'static str, value: &str) -> Result<String, Invalid> {
    let value = required_text(field, value, Text::Name)?.to_lowercase();
    let plausible = value.len() <= 254
        && !value.contains(char::is_whitespace)
        && value.split_once('@').is_some_and(|(local, host)| {
            !local.is_empty()
                && !host.is_empty()
                && !host.contains('@')
                && !host.starts_with('.')
                && !host.ends_with('.')
        });
    if plausible { Ok(value) } else { Err(Invalid::new(field, "must be an e-mail address")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trims_and_refuses_nothing_at_all() {
        assert_eq!(required_text("name", "  Support ", Text::Name).as_deref(), Ok("Support"));
        assert_eq!(required_text("name", " \t ", Text::Name).unwrap_err().field, "name");
        assert_eq!(optional_text("description", Some("  "), Text::Description), Ok(None));
    }

    #[test]
    fn counts_characters_not_bytes() {
        let name = "ü".repeat(255);
        assert!(required_text("name", &name, Text::Name).is_ok());
        assert!(required_text("name", &format!("{name}ü"), Text::Name).is_err());
        assert!(required_text("name", &"x".repeat(1 << 20), Text::Name).is_err());
    }

    #[test]
    fn refuses_control_characters_where_they_mean_nothing() {
        assert!(required_text("name", "a\u{0}b", Text::Name).is_err());
        assert!(required_text("name", "a\nb", Text::Name).is_err());
        assert!(required_text("system_prompt", "a\nb", Text::Prompt).is_ok());
        assert!(required_text("system_prompt", "a\u{0}b", Text::Prompt).is_err());
    }

    #[test]
    fn knows_an_address_when_it_sees_one() {
        assert_eq!(email("email", "Dev@Example.COM").as_deref(), Ok("dev@example.com"));
        for wrong in ["", "dev", "@example.com", "dev@", "a b@example.com", "a@b@c", "a@.com"] {
            assert!(email("email", wrong).is_err(), "{wrong}");
        }
    }
}
