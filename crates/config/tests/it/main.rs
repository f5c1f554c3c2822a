#![cfg(test)]
//! What an operator sees: settings that hold, settings that are refused, and documents that say so.

mod documents;
mod gateway;
mod reading;
mod refusing;
mod secrets;
mod signing_in;

use std::collections::BTreeMap;
use std::io::Write;

use omni_config::{Config, ConfigError, Loaded, Problem};
use tempfile::NamedTempFile;

/// The least that makes a configuration complete.
const FAKE: (&str, &str) = ("OMNI_AUTH_MODE", "fake");

fn environment<const N: usize>(variables: [(&str, &str); N]) -> BTreeMap<String, String> {
    variables.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

fn load<const N: usize>(variables: [(&str, &str); N]) -> Result<Loaded, ConfigError> {
    Config::load(None, &environment(variables))
}

fn load_file<const N: usize>(text: &str, variables: [(&str, &str); N]) -> Result<Loaded, ConfigError> {
    Config::load(Some(file(text).path()), &environment(variables))
}

fn file(text: &str) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file
}

/// The variables or keys that were refused, in the order in which they are reported.
fn refused(result: Result<Loaded, ConfigError>) -> Vec<String> {
    let error = result.expect_err("this must be refused");
    let name = |problem: &Problem| match problem {
        Problem::Value { variable, .. } => (*variable).to_owned(),
        Problem::UnknownKey { key, .. } => key.clone(),
        other => other.code().to_owned(),
    };
    error.problems().iter().map(name).collect()
}
