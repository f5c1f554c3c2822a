/// How log lines look (`LOG_FORMAT`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// Coloured lines for people.
    Pretty,
    /// One JSON object a line.
    Json,
    /// `Pretty` on a terminal, `Json` elsewhere.
    Auto,
}

impl LogFormat {
    /// Whether to write JSON, given whether the log goes to a terminal.
    #[must_use]
    pub fn is_json(self, terminal: bool) -> bool {
        match self {
            Self::Pretty => false,
            Self::Json => true,
            Self::Auto => !terminal,
        }
    }

    pub(crate) fn parse(value: &str) -> Option<Self> {
        match value.to_ascii_lowercase().as_str() {
            "pretty" => Some(Self::Pretty),
            "json" => Some(Self::Json),
            "auto" => Some(Self::Auto),
            _ => None,
        }
    }
}

/// Levels in lower case, in the form that `tracing` filters take: `level` or `part=level`, with commas between.
pub(crate) fn directives(value: &str) -> Option<String> {
    let directives: Option<Vec<String>> = value.split(',').map(directive).collect();
    directives.map(|directives| directives.join(","))
}

fn directive(value: &str) -> Option<String> {
    let (part, level) = match value.split_once('=') {
        Some((part, level)) => (Some(part.trim()), level),
        None => (None, value),
    };
    let level = level.trim().to_ascii_lowercase();
    if !matches!(level.as_str(), "off" | "error" | "warn" | "info" | "debug" | "trace") {
        return None;
    }
    match part {
        None => Some(level),
        Some(part) if is_target(part) => Some(format!("{part}={level}")),
        Some(_) => None,
    }
}

fn is_target(part: &str) -> bool {
    !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | ':' | '-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn auto_asks_the_terminal() {
        assert!(!LogFormat::Auto.is_json(true) && LogFormat::Auto.is_json(false));
        assert!(LogFormat::Json.is_json(true) && !LogFormat::Pretty.is_json(false));
        assert_eq!(LogFormat::parse("JSON"), Some(LogFormat::Json));
        assert_eq!(LogFormat::parse("logfmt"), None);
    }

    #[test]
    fn directives_are_normal_or_nothing() {
        assert_eq!(directives("WARN").as_deref(), Some("warn"));
        assert_eq!(directives("info, omni_models = Debug").as_deref(), Some("info,omni_models=debug"));
        for wrong in ["loud", "info,", "=debug", "a b=debug", "x[span]=info"] {
            assert_eq!(directives(wrong), None, "{wrong}");
        }
    }
}
