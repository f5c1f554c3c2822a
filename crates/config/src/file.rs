use std::collections::BTreeMap;
use std::path::Path;

use toml::{Table, Value};

use crate::Problem;
use crate::error::Given;
use crate::setting::{Form, Section, Setting};
use crate::spelling::nearest;
use crate::table::SETTINGS;

/// What a file sets, by the name of the variable that could set the same, and what is wrong with the rest of it.
#[derive(Default)]
pub(crate) struct File {
    pub(crate) values: BTreeMap<&'static str, String>,
    pub(crate) problems: Vec<Problem>,
}

impl File {
    /// Reads the file at `path`.
    ///
    /// # Errors
    /// When there is no such file or it is no TOML, so that nothing can be said about single settings.
    pub(crate) fn read(path: &Path) -> Result<Self, Problem> {
        let text =
            std::fs::read_to_string(path).map_err(|source| Problem::Unreadable { path: path.to_owned(), source })?;
        // The error's own text quotes the line, which may hold a secret.
        let table: Table = text.parse().map_err(|error: toml::de::Error| Problem::NotToml {
            path: path.to_owned(),
            line: line_of(&text, error.span().map_or(0, |span| span.start)),
            problem: error.message().to_owned(),
        })?;
        let mut file = Self::default();
        for (name, value) in table {
            match (section(&name), value) {
                (Some(section), Value::Table(entries)) => file.read_section(section, entries),
                _ => file.unknown(name),
            }
        }
        Ok(file)
    }

    fn read_section(&mut self, section: &Section, entries: Table) {
        for (key, value) in entries {
            match SETTINGS.iter().find(|setting| setting.section.name == section.name && setting.key() == key) {
                Some(setting) => self.set(setting, &value),
                None => self.unknown(format!("{}.{key}", section.name)),
            }
        }
    }

    fn set(&mut self, setting: &'static Setting, value: &Value) {
        match plain(setting.form, value) {
            Some(text) => {
                self.values.insert(setting.variable, text);
            }
            None => self.problems.push(Problem::value(setting, Given::Kind(value.type_str()), setting.form)),
        }
    }

    fn unknown(&mut self, key: String) {
        let known = SETTINGS.iter().flat_map(|setting| [setting.path(), format!("[{}]", setting.section.name)]);
        let known: Vec<String> = known.collect();
        let nearest = nearest(&key, known.iter().map(String::as_str)).map(str::to_owned);
        self.problems.push(Problem::UnknownKey { key, nearest });
    }
}

fn section(name: &str) -> Option<&'static Section> {
    SETTINGS.iter().map(|setting| setting.section).find(|section| section.name == name)
}

/// The value as the environment would spell it.
fn plain(form: Form, value: &Value) -> Option<String> {
    match (form, value) {
        (_, Value::String(text)) => Some(text.clone()),
        (_, Value::Integer(number)) => Some(number.to_string()),
        (Form::List(_), Value::Array(items)) => {
            items.iter().map(Value::as_str).collect::<Option<Vec<_>>>().map(|items| items.join(", "))
        }
        _ => None,
    }
}

fn line_of(text: &str, offset: usize) -> usize {
    1 + text.bytes().take(offset).filter(|byte| *byte == b'\n').count()
}
