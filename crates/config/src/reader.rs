use std::collections::BTreeMap;
use std::path::Path;

use crate::error::Given;
use crate::file::File;
use crate::setting::{Form, Setting, Unset};
use crate::table::SETTINGS;
use crate::{ConfigError, Environment, Problem};

/// Where a value came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    Default,
    File,
    Environment,
}

impl Source {
    /// The word that the report uses.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::File => "file",
            Self::Environment => "environment",
        }
    }

    fn place(self) -> &'static str {
        match self {
            Self::Default => "by default",
            Self::File => "in the file",
            Self::Environment => "in the environment",
        }
    }
}

/// All values as they were given, and the problems found so far. Turning a value into a type never stops at the first
/// problem: whoever asks gets `None` and goes on, and the end result exists only if there was none.
pub(crate) struct Reader {
    values: BTreeMap<&'static str, (String, Source)>,
    problems: Vec<Problem>,
}

impl Reader {
    /// Takes every setting from the environment, else from the file, else from its default.
    ///
    /// # Errors
    /// When the file cannot be read at all: what is missing then is the file, not what stands in it.
    pub(crate) fn read(file: Option<&Path>, environment: &impl Environment) -> Result<Self, ConfigError> {
        let file = file.map_or_else(|| Ok(File::default()), File::read);
        let mut file = file.map_err(|problem| ConfigError::new(vec![problem]))?;
        let mut values = BTreeMap::new();
        for setting in SETTINGS {
            let default = match setting.unset {
                Unset::Default(value) => Some(value.to_owned()),
                Unset::Otherwise { .. } => None,
            };
            let given = [
                (environment.get(setting.variable), Source::Environment),
                (file.values.remove(setting.variable), Source::File),
                (default, Source::Default),
            ];
            let value = given.into_iter().find_map(|(value, source)| {
                let value = value?.trim().to_owned();
                (!value.is_empty()).then_some((value, source))
            });
            if let Some(value) = value {
                values.insert(setting.variable, value);
            }
        }
        Ok(Self { values, problems: file.problems })
    }

    /// The value as given and where it came from, for the report.
    pub(crate) fn given(&self, setting: &Setting) -> Option<(&str, Source)> {
        self.values.get(setting.variable).map(|(value, source)| (value.as_str(), *source))
    }

    pub(crate) fn is_set(&self, setting: &Setting) -> bool {
        self.values.contains_key(setting.variable)
    }

    /// Gives a setting the default that follows from other settings, unless it was set.
    pub(crate) fn derive(&mut self, setting: &Setting, default: String) {
        self.values.entry(setting.variable).or_insert((default, Source::Default));
    }

    /// The value of a setting that may be left out. `parse` answers `None` to what the setting's form does not allow.
    pub(crate) fn optional<T>(&mut self, setting: &Setting, parse: impl FnOnce(&str) -> Option<T>) -> Option<T> {
        let (value, _) = self.given(setting)?;
        let parsed = if is_plain(value) { parse(value) } else { None };
        if parsed.is_none() {
            self.refuse(setting, setting.form);
        }
        parsed
    }

    /// The value of a setting that must be there.
    pub(crate) fn required<T>(&mut self, setting: &Setting, parse: impl FnOnce(&str) -> Option<T>) -> Option<T> {
        self.insist(setting, setting.form);
        self.optional(setting, parse)
    }

    /// The value of a number that must be there, within the bounds of its setting.
    pub(crate) fn number<T: TryFrom<u64>>(&mut self, setting: &Setting) -> Option<T> {
        self.required(setting, |value| {
            let number: u64 = value.parse().ok()?;
            let within = match setting.form {
                Form::Number { least, most, .. } => (least..=most).contains(&number),
                Form::Text(_) | Form::List(_) => true,
            };
            T::try_from(number).ok().filter(|_| within)
        })
    }

    /// The items of a list, none if it is not set. Each wrong item is a problem of its own.
    pub(crate) fn list<T>(&mut self, setting: &Setting, parse: impl Fn(&str) -> Option<T>) -> Vec<T> {
        let Some((value, source)) = self.values.get(setting.variable) else { return Vec::new() };
        let mut items = Vec::new();
        for item in value.split(',').map(str::trim).filter(|item| !item.is_empty()) {
            match parse(item) {
                Some(item) => items.push(item),
                None => {
                    let given = Given::Value { value: item, place: source.place() };
                    self.problems.push(Problem::value(setting, given, setting.form));
                }
            }
        }
        items
    }

    /// Notes a problem if nothing was given; `expected` says what, and may say why.
    pub(crate) fn insist(&mut self, setting: &Setting, expected: impl std::fmt::Display) {
        if !self.is_set(setting) {
            self.refuse(setting, expected);
        }
    }

    /// Notes that what was given, or that nothing was given, is wrong.
    pub(crate) fn refuse(&mut self, setting: &Setting, expected: impl std::fmt::Display) {
        let given = match self.given(setting) {
            Some((value, source)) => Given::Value { value, place: source.place() },
            None => Given::Nothing,
        };
        let problem = Problem::value(setting, given, expected);
        self.problems.push(problem);
    }

    pub(crate) fn into_problems(self) -> Vec<Problem> {
        self.problems
    }

    pub(crate) fn has_problems(&self) -> bool {
        !self.problems.is_empty()
    }
}

/// No value has control characters, nor the character that stands for bytes that were no text.
fn is_plain(value: &str) -> bool {
    !value.chars().any(|c| c.is_control() || c == char::REPLACEMENT_CHARACTER)
}
