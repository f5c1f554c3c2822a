use serde::Serialize;

/// The longest reason, in characters.
const LONGEST_REASON: usize = 200;

/// Why a service ended or a command was given, in at most 200 characters without control characters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Reason(String);

impl Reason {
    /// Takes what somebody wrote, as far as it goes; nothing if it says nothing. A reason is never refused.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let kept: String = text.trim().chars().filter(|letter| !letter.is_control()).take(LONGEST_REASON).collect();
        (!kept.is_empty()).then_some(Self(kept))
    }

    /// The reason.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_shortened_and_never_refused() {
        assert_eq!(Reason::new(" exited:137\n").unwrap().as_str(), "exited:137");
        assert_eq!(Reason::new("a\0b\u{1b}[31mc").unwrap().as_str(), "ab[31mc");
        assert_eq!(Reason::new(&"ü".repeat(500)).unwrap().as_str().chars().count(), 200);
        assert_eq!(Reason::new(" \n"), None);
    }
}
