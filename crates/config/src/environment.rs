use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::ffi::OsString;

use crate::Warning;
use crate::setting::PREFIX;
use crate::spelling::nearest;
use crate::table::{READ_BY_TOOLS, SETTINGS};

/// Where variables come from: the process, or a map in a test.
pub trait Environment {
    /// The value of the variable `name`, if it is set.
    fn get(&self, name: &str) -> Option<String>;

    /// The names of all variables, to find those that nobody reads.
    fn names(&self) -> Vec<String>;
}

impl<K: Borrow<str> + Ord, V: AsRef<str>> Environment for BTreeMap<K, V> {
    fn get(&self, name: &str) -> Option<String> {
        self.get(name).map(|value| value.as_ref().to_owned())
    }

    fn names(&self) -> Vec<String> {
        self.keys().map(|name| name.borrow().to_owned()).collect()
    }
}

/// The environment that the process was started with. Bytes that are no UTF-8 become U+FFFD, which no setting accepts.
pub fn process_environment() -> impl Environment {
    ours(std::env::vars_os())
}

/// What others put into the environment is none of ours, and may be a secret: it is not even kept.
fn ours(variables: impl Iterator<Item = (OsString, OsString)>) -> BTreeMap<String, String> {
    variables
        .map(|(name, value)| (name.to_string_lossy().into_owned(), value.to_string_lossy().into_owned()))
        .filter(|(name, _)| name.starts_with(PREFIX) || SETTINGS.iter().any(|setting| setting.variable == name))
        .collect()
}

/// The variables that look like Omni's but are read by nobody: most likely typos.
pub(crate) fn unknown_variables(environment: &impl Environment) -> Vec<Warning> {
    let known = |name: &str| {
        SETTINGS.iter().any(|setting| setting.variable == name)
            || READ_BY_TOOLS.iter().any(|tool| match tool.strip_suffix('*') {
                Some(prefix) => name.starts_with(prefix),
                None => name == *tool,
            })
    };
    let mut names = environment.names();
    names.retain(|name| name.starts_with(PREFIX) && !known(name));
    names.sort();
    names
        .into_iter()
        .map(|name| {
            let nearest = nearest(&name, SETTINGS.iter().map(|setting| setting.variable));
            Warning::UnknownVariable { name, nearest }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStringExt;

    use super::*;

    #[test]
    fn keeps_what_is_ours_and_marks_what_is_no_text() {
        let given = [
            ("OMNI_DATA_DIR", b"da\xffta".to_vec()),
            ("OMNI_TYPO", b"1".to_vec()),
            ("DATABASE_URL", b"postgres://db/omni".to_vec()),
            ("AWS_SECRET_ACCESS_KEY", b"theirs".to_vec()),
        ];
        let kept = ours(given.into_iter().map(|(name, value)| (name.into(), OsString::from_vec(value))));
        let expected = [("DATABASE_URL", "postgres://db/omni"), ("OMNI_DATA_DIR", "da\u{fffd}ta"), ("OMNI_TYPO", "1")];
        assert_eq!(kept.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect::<Vec<_>>(), expected);
    }
}
