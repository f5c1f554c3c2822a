use std::fmt;
use std::io;
use std::path::PathBuf;

use omni_domain::ErrorKind;

use crate::setting::Setting;

/// The configuration cannot be used. Says everything that is wrong with it, one problem a line, and no secret.
#[derive(Debug, thiserror::Error)]
#[error("the configuration cannot be used:{}", lines(.problems))]
pub struct ConfigError {
    problems: Vec<Problem>,
}

impl ConfigError {
    /// The exit code of a program whose configuration cannot be used (`EX_CONFIG` of sysexits). A supervisor does not
    /// retry it.
    pub const EXIT_CODE: u8 = 78;

    pub(crate) fn new(problems: Vec<Problem>) -> Self {
        Self { problems }
    }

    /// What is wrong: never empty.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// The kind that decides how the edge answers.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        ErrorKind::Invalid
    }

    /// A stable word for logs.
    #[must_use]
    pub fn code(&self) -> &'static str {
        "configuration"
    }
}

/// One thing that is wrong with the configuration.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// The file given with `--config` cannot be read.
    #[error("{}: cannot be read: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The file given with `--config` is no TOML.
    #[error("{}, line {line}: not TOML: {problem}", path.display())]
    NotToml {
        /// The file.
        path: PathBuf,
        /// Where, counted from 1.
        line: usize,
        /// What the parser expected.
        problem: String,
    },
    /// The file sets something that does not exist.
    #[error("{key} in the file is not a setting{}", hint(nearest.as_deref()))]
    UnknownKey {
        /// The key as it was given, section included.
        key: String,
        /// The key that was most likely meant.
        nearest: Option<String>,
    },
    /// A setting is missing, or has a value that it cannot have.
    #[error("{variable} ({key} in the file) {given}; expected {expected}")]
    Value {
        /// The variable.
        variable: &'static str,
        /// The same in the file, section included.
        key: String,
        /// What was given, unless it is a secret.
        given: String,
        /// What would be right.
        expected: String,
    },
}

impl Problem {
    pub(crate) fn value(setting: &Setting, given: Given<'_>, expected: impl fmt::Display) -> Self {
        Self::Value {
            variable: setting.variable,
            key: setting.path(),
            given: given.describe(setting.secret),
            expected: expected.to_string(),
        }
    }

    /// A stable word for logs.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } => "file_unreadable",
            Self::NotToml { .. } => "file_not_toml",
            Self::UnknownKey { .. } => "unknown_key",
            Self::Value { .. } => "setting_refused",
        }
    }
}

/// What a setting was given.
#[derive(Clone, Copy)]
pub(crate) enum Given<'a> {
    Nothing,
    /// A TOML type that no setting has.
    Kind(&'static str),
    Value {
        value: &'a str,
        place: &'static str,
    },
}

impl Given<'_> {
    fn describe(self, secret: bool) -> String {
        match self {
            Self::Nothing => "is not set".to_owned(),
            Self::Kind(kind) => format!("is of the type {kind} in the file"),
            // A URL may carry a password even where none belongs.
            Self::Value { value, place } if secret || (value.contains("://") && value.contains('@')) => {
                format!("has an unusable value {place}, not shown here")
            }
            Self::Value { value, place } => match value.char_indices().nth(SHOWN) {
                Some((end, _)) => format!("is {:?}… {place}", value.get(..end).unwrap_or_default()),
                None => format!("is {value:?} {place}"),
            },
        }
    }
}

/// How many characters of a wrong value are shown.
const SHOWN: usize = 100;

/// Something that does not stop the program but is most likely not what was meant.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Warning {
    /// A variable that looks like Omni's but is read by nobody.
    UnknownVariable {
        /// Its name.
        name: String,
        /// The variable that was most likely meant.
        nearest: Option<&'static str>,
    },
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownVariable { name, nearest } => {
                write!(f, "{name} in the environment is not a setting{}", hint(*nearest))
            }
        }
    }
}

fn hint(nearest: Option<&str>) -> String {
    nearest.map(|nearest| format!("; did you mean {nearest}?")).unwrap_or_default()
}

fn lines(problems: &[Problem]) -> String {
    problems.iter().map(|problem| format!("\n  {problem}")).collect()
}
