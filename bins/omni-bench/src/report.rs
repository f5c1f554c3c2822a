//! What a run prints.

/// The limit that a number is held against.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Wanted {
    AtLeast(f64),
    AtMost(f64),
    Under(f64),
}

impl Wanted {
    fn is_met(self, value: f64) -> bool {
        match self {
            Self::AtLeast(limit) => value >= limit,
            Self::AtMost(limit) => value <= limit,
            Self::Under(limit) => value < limit,
        }
    }
}

impl std::fmt::Display for Wanted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::AtLeast(limit) => write!(f, "at least {limit}"),
            Self::AtMost(limit) => write!(f, "at most {limit}"),
            Self::Under(limit) => write!(f, "under {limit}"),
        }
    }
}

/// Begins a part of the report.
pub(crate) fn part(title: &str) {
    say(&format!("\n## {title}"));
}

/// Says how `value`, which was got as `compared` says, stands to its limit.
pub(crate) fn judge(what: &str, compared: &str, value: f64, unit: &str, wanted: Wanted) {
    let verdict = if wanted.is_met(value) { "met" } else { "missed" };
    say(&format!("{verdict:6}  {what}: {value:.2}{unit} (wanted {wanted}{unit}; {compared})"));
}

#[expect(clippy::print_stdout, reason = "the report is what the program is for")]
pub(crate) fn say(line: &str) {
    println!("{line}");
}
