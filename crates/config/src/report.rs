use crate::reader::{Reader, Source};
use crate::setting::{Setting, Unset};

/// These settings, each with its value unless it is secret, and where it came from: one line each, in columns.
pub(crate) fn redacted_report(reader: &Reader, settings: &[&Setting]) -> String {
    let lines: Vec<_> = settings.iter().map(|setting| line(reader, setting)).collect();
    let names = lines.iter().map(|(name, ..)| name.len()).max().unwrap_or_default();
    let sources = lines.iter().map(|(_, source, _)| source.len()).max().unwrap_or_default();
    lines.iter().map(|(name, source, value)| format!("{name:names$}  {source:sources$}  {value}\n")).collect()
}

fn line<'a>(reader: &'a Reader, setting: &Setting) -> (&'static str, &'static str, &'a str) {
    let (value, source) = match (reader.given(setting), setting.unset) {
        (Some((_, source)), _) if setting.secret => ("set, not shown", source),
        (Some((value, source)), _) => (value, source),
        (None, Unset::Otherwise { what, .. } | Unset::Default(what)) => (what, Source::Default),
    };
    (setting.variable, source.name(), value)
}
